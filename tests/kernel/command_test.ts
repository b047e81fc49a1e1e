/** The command on a TAP, with the Linux kernel on the other side. */
import assert from "node:assert/strict";
import { macFor } from "../../apps/mac-for.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { KernelPing } from "../../nic/linux/icmp-socket.ts";
import { hardwareAddress, setInterfaceAddress, setInterfaceUp } from "../../nic/linux/netif.ts";
import { createTap, removeTap } from "../../nic/linux/tun.ts";
import { assertComplaint, ethox, events, type Run, type Watch } from "../support/command.ts";
import { kernelTest } from "../support/netns.ts";
import { peerTest } from "../support/peer.ts";

const ADDR = ["--addr", "10.0.0.1/24"];

/** What `ip tuntap add tap0 mode tap; ip addr add 10.0.0.2/24 dev tap0; ip link set tap0 up` does. */
function makeTap(): void {
  createTap("tap0");
  setInterfaceUp("tap0");
  setInterfaceAddress("tap0", "10.0.0.2/24");
}

/**
 * How many of the kernel's pings are answered. When a TAP is attached to right after it was made, the kernel may drop
 * what it sends there at first (its link watch runs later), and asks for the neighbour again a second after.
 */
async function pings(
  count: number,
  address: string = "10.0.0.1",
  timeoutMs: number = 20_000,
): Promise<number> {
  using ping = new KernelPing();
  let answered = 0;
  for await (const { rttMicroseconds } of ping.ping(address, { count, intervalMs: 1, timeoutMs })) {
    if (rttMicroseconds !== undefined) answered++;
  }
  return answered;
}

/** Waits until it is so, for half a minute at most. */
async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 30_000; !isSo();) {
    assert.ok(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A watch that does something once, as soon as the output holds a text. */
function when(
  text: string,
  action: (interrupt: () => void) => Promise<void>,
): Watch & { done: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The test awaits it only after the command has ended.
  promise.catch(() => {});
  let started = false;
  return {
    done: promise,
    onOut: (out, interrupt) => {
      if (started || !out.includes(text)) return;
      started = true;
      action(interrupt).then(resolve, (error) => {
        interrupt();
        reject(error);
      });
    },
  };
}

kernelTest(
  "serve: the ready event comes first, and from then on the kernel's pings are answered",
  async () => {
    makeTap();
    const watch = when('"event":"ready"', async (interrupt) => {
      assert.equal(await pings(20), 20);
      interrupt();
    });
    const [run, lines] = await events(["serve", "ping", "--nic", "tap:tap0", ...ADDR], watch);
    await watch.done;
    assert.deepEqual([run.status, run.err], [0, ""]);
    assert.deepEqual(lines[0], {
      event: "ready",
      nic: "tap:tap0",
      mac: String(macFor("tap:tap0")),
      addresses: ["10.0.0.1/24"],
      services: ["ping"],
    });
    const { packets } = lines[1] as unknown as { packets: Record<string, Record<string, number>> };
    assert.equal(packets.icmp!.answered, 20);
    removeTap("tap0");
  },
);

kernelTest("ping and arp: the kernel answers us; where nobody is, the status is 1", async () => {
  makeTap();
  const found = await events(["ping", "10.0.0.2", ...ADDR, "-c", "3", "-i", "10ms", "-W", "20s"]);
  assert.equal(found[0].status, 0);
  assert.equal(found[1].at(-1)!.received, 3);
  const nobody = await events(["ping", "10.0.0.3", ...ADDR, "-c", "1", "-W", "100ms"]);
  assert.equal(nobody[0].status, 1);
  assert.deepEqual(nobody[1].map(({ event }) => event), ["ready", "timeout", "statistics"]);

  const kernel = String(new Mac().read(hardwareAddress("tap0")!, 0));
  assert.equal((await ethox(["arp", "10.0.0.2", ...ADDR, "--quiet"])).out, `${kernel}\n`);
  const silence = await ethox(["arp", "10.0.0.3", ...ADDR, "-i", "10ms", "-W", "50ms"]);
  assert.deepEqual([silence.status, silence.out], [1, "3 requests sent, 0 answered\n"]);

  const taken = await ethox(["serve", ...ADDR, "--mac", kernel]);
  assertComplaint(taken, /--mac: .* is the kernel's own address on tap:tap0/);
  assert.equal(taken.status, 2);
  removeTap("tap0");
});

kernelTest("dump: what the kernel sends is shown, and nothing is answered", async () => {
  makeTap();
  const watch = when("listening", async (interrupt) => {
    assert.equal(await pings(1, "10.0.0.1", 1_500), 0);
    interrupt();
  });
  const { status, out } = await ethox(["dump"], watch);
  await watch.done;
  assert.equal(status, 0);
  assert.match(out, /ARP who has 10\.0\.0\.1\? tell 10\.0\.0\.2\n/);
  removeTap("tap0");
});

kernelTest("serve: an interface that is missing, in use, or no TAP is one line and status 3", async () => {
  const refused = async (nic: string, complaint: RegExp) => {
    const run: Run = await ethox(["serve", "--nic", nic, ...ADDR]);
    assertComplaint(run, complaint);
    assert.equal(run.status, 3);
  };
  await refused("tap:tap0", /^ethox: tap0: no such interface; make it with: ip tuntap add/);
  await refused("tap:lo", /^ethox: lo: the interface is no TAP/);
  makeTap();
  const watch = when('"ready"', async (interrupt) => {
    await refused("tap:tap0", /^ethox: tap0: another process is attached to it/);
    interrupt();
  });
  await events(["serve", ...ADDR], watch);
  await watch.done;
  removeTap("tap0");
});

kernelTest(
  "serve: an interface that goes down and up again is survived, with a warning for each",
  async () => {
    makeTap();
    let warnings = "";
    const watch = when('"ready"', async (interrupt) => {
      assert.equal(await pings(1), 1);
      setInterfaceUp("tap0", false);
      await until(() => warnings.includes("is down"), "that it is down is told");
      setInterfaceUp("tap0");
      await until(() => warnings.includes("is up"), "that it is up is told");
      assert.equal(await pings(5), 5);
      interrupt();
    });
    const [{ status, err }] = await events(["serve", ...ADDR], {
      ...watch,
      onErr: (text) => warnings = text,
    });
    await watch.done;
    assert.equal(status, 0);
    assert.match(
      err,
      /^ethox: warning: tap:tap0 is down; .*: ip link set dev tap0 up\nethox: warning: tap:tap0 is up\n$/,
    );
    removeTap("tap0");
  },
);

peerTest(
  "serve: an interface that is removed ends it with one line and status 1",
  ["ip"],
  undefined,
  async () => {
    makeTap();
    const watch = when('"ready"', async () => {
      assert.equal(await pings(1), 1);
      // An attached interface cannot be removed through its own driver.
      const { success } = await new Deno.Command("ip", { args: ["link", "del", "tap0"] }).output();
      assert.ok(success);
    });
    const [run] = await events(["serve", ...ADDR], watch);
    await watch.done;
    assertComplaint(run, /tap0 has been removed/);
    assert.equal(run.status, 1);
  },
);

kernelTest("nics: every kind can be opened here, and nothing is left behind", async () => {
  const [{ status }, lines] = await events(["nics"]);
  assert.equal(status, 0);
  assert.deepEqual(lines.map(({ nic, available }) => [nic, available]), [
    ["tap:NAME", true],
    ["tap:NAME,offload=on", true],
    ["tun:NAME", true],
    ["raw:IFACE", true],
    ["xdp:IFACE", true],
    ["link:", true],
  ]);
  await until(() => !hasInterface(`ethox-${Deno.pid}`), "its interfaces have gone");
});

function hasInterface(name: string): boolean {
  try {
    hardwareAddress(name);
    return true;
  } catch {
    return false;
  }
}

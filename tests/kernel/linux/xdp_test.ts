/** AF_XDP as a NIC, over a veth pair whose other end is a packet socket. */
import assert from "node:assert/strict";
import type { Claimed } from "../../../nic/device.ts";
import { NicError, type NicErrorKind } from "../../../nic/error.ts";
import { KernelPing } from "../../../nic/linux/icmp-socket.ts";
import { setInterfaceAddress, setInterfaceMtu, setInterfaceUp } from "../../../nic/linux/netif.ts";
import { openRaw, type Raw } from "../../../nic/linux/raw.ts";
import { createTap } from "../../../nic/linux/tun.ts";
import { openXdp, type Xdp, type XdpOptions } from "../../../nic/linux/xdp.ts";
import { Checksum } from "../../../stack/frame.ts";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { put16 } from "../../../stack/wire/bytes.ts";
import { fold, sum } from "../../../stack/wire/checksum.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { findProgram } from "../../../scripts/setup/programs.ts";
import { NEAR, pair, TAP } from "../../support/cables.ts";
import { arpFrame, concat, data, ethernet, ipv4 } from "../../support/frames.ts";
import { KernelUdp } from "../../support/kernel-udp.ts";
import { kernelTest, run } from "../../support/netns.ts";
import { peerTest } from "../../support/peer.ts";
import { KERNEL, reflect, REFLECTOR, REFLECTOR_MAC } from "../../support/reflector.ts";
import { KernelHost } from "../../support/routers.ts";
import { collect, frame, MAC, OTHER, send } from "../../support/veth.ts";

const ip = (...args: string[]) => run(findProgram("ip") ?? "ip", ...args);

const addresses = (...texts: string[]): Claimed[] => texts.map((text) => ({ address: Address.parse(text) }));

/** A test over a veth pair, for the program behind the driver and in it. */
function xdpTest(name: string, body: (near: Xdp, far: Raw) => Promise<void>, options: XdpOptions = {}): void {
  for (const mode of ["skb", "drv"] as const) {
    peerTest(`xdp, mode=${mode}: ${name}`, ["ip"], undefined, async () => {
      await pair();
      const near = openXdp(NEAR, { mode, ...options }), far = openRaw(TAP);
      try {
        assert.equal(near.mode, mode);
        await body(near, far);
      } finally {
        near.close();
        far.close();
      }
    });
  }
}

const lengths = (frames: readonly Uint8Array[]) => frames.map(({ length }) => length - 14);

xdpTest("the kernel's pings are answered where they lie, and all frames are counted", async (nic) => {
  setInterfaceAddress(TAP, KERNEL);
  nic.claim(Mac.parse(REFLECTOR_MAC), addresses(REFLECTOR));
  const reflecting = reflect(nic);
  using ping = new KernelPing();
  let answered = 0;
  // More than there are frames.
  for await (
    const { rttMicroseconds } of ping.ping(REFLECTOR, {
      count: 3_000,
      intervalMs: 0,
      size: 56,
      timeoutMs: 20_000,
    })
  ) {
    if (rttMicroseconds !== undefined) answered++;
  }
  assert.equal(answered, 3_000);
  const { received, sent, sentBytes } = nic.counters;
  assert.ok(received >= sent && sent >= 3_001, "3,000 echoes and an ARP or, from a busy machine, more");
  assert.equal(sentBytes, (sent - 3_000) * 42 + 3_000 * 98);
  nic.close();
  await reflecting;
});

xdpTest(
  "what is claimed comes in, of groups' frames a copy, and the rest is the host's",
  async (near, far) => {
    const ask = (target: string) => arpFrame({ target });
    const all = () =>
      send(
        far,
        frame(MAC, 50),
        frame(OTHER, 51),
        frame("ff:ff:ff:ff:ff:ff", 52),
        ask("10.0.0.1"),
        ask("10.0.0.9"),
        frame("33:33:ff:00:00:01", 54),
        frame("33:33:00:00:00:01", 55),
      );
    const taken = async (count: number) => (await collect(near, count)).sort((a, b) => a.length - b.length);
    all();
    assert.deepEqual(await collect(near, 1, 100), [], "nothing is claimed");
    near.claim(Mac.parse(MAC), addresses("10.0.0.1", "fe80::1"));
    all();
    assert.deepEqual(lengths(await taken(6)), [28, 28, 50, 52, 54, 55]);
    assert.deepEqual(await collect(near, 1, 100), [], "each once");
    near.claim(Mac.parse(MAC), addresses("10.0.0.9"));
    all();
    assert.deepEqual(lengths(await taken(6)), [28, 28, 50, 52, 54, 55]);
    assert.deepEqual(await collect(near, 1, 100), []);
    assert.equal(near.counters.received, 12);
  },
);

xdpTest("the host keeps what is sent to groups", async (near, far) => {
  near.claim(Mac.parse(MAC), addresses("10.0.0.1"));
  const host = openRaw(NEAR);
  try {
    send(far, frame("33:33:00:00:00:01", 55), frame("ff:ff:ff:ff:ff:ff", 52), frame(MAC, 50));
    assert.deepEqual(lengths(await collect(host, 2)), [55, 52]);
    assert.deepEqual(await collect(host, 1, 100), []);
    assert.deepEqual(lengths(await collect(near, 3)).sort(), [50, 52, 55]);
  } finally {
    host.close();
  }
});

xdpTest(
  "what came to a group is answered in its place, also by bursts longer than the ring",
  async (near, far) => {
    near.claim(Mac.parse(MAC), []);
    let answered = 0;
    for (let round = 0; round < 100; round++) {
      send(far, ...Array.from({ length: 30 }, () => frame("33:33:00:00:00:01", 55)));
      for (let turn = 0; turn < 500 && near.counters.received < 30 * (round + 1); turn++) {
        near.rx(64, {
          receive: (slot) => {
            slot.queue();
          },
        });
        await near.ready(near.now() + milliseconds(20));
      }
      answered += (await collect(far, 30)).length;
    }
    assert.deepEqual([near.counters.received, near.counters.sent, answered], [3_000, 3_000, 3_000]);
  },
);

xdpTest(
  "the card is asked to listen to the station that is claimed, and no longer once the NIC is closed",
  async (near) => {
    const promiscuity = async () =>
      /promiscuity (\d+)/.exec(await ip("-d", "link", "show", "dev", NEAR))?.[1];
    const before = await promiscuity();
    near.claim(Mac.parse(MAC), []);
    // A veth cannot filter for one more, so it listens to all.
    assert.notEqual(await promiscuity(), before);
    near.close();
    assert.equal(await promiscuity(), before);
  },
);

xdpTest("the host goes on answering on the interface", async (near) => {
  near.claim(Mac.parse(MAC), addresses("10.0.0.1"));
  // The other end moves to a namespace of its own, so that this host is asked from outside.
  await using outside = await KernelHost.start("outside");
  await ip("link", "set", TAP, "netns", String(outside.pid));
  await outside.ip(`addr add 10.7.0.2/24 dev ${TAP}`);
  await outside.ip(`link set ${TAP} up`);
  setInterfaceAddress(NEAR, "10.7.0.1/24");
  for (const output of await outside.pings(2, "10.7.0.1")) assert.match(output, / 1 received/);
  assert.equal(near.counters.received, 0);
});

xdpTest("with share=off everything comes in", async (near, far) => {
  send(far, frame(OTHER, 51), frame("ff:ff:ff:ff:ff:ff", 52));
  assert.deepEqual(lengths(await collect(near, 2)), [51, 52]);
}, { share: false });

xdpTest(
  "a checksum that the sender left to its card is partial, and completed on the way back",
  async (nic) => {
    setInterfaceAddress(TAP, KERNEL);
    await ip("neigh", "add", REFLECTOR, "lladdr", MAC, "dev", TAP);
    nic.claim(Mac.parse(MAC), []);
    using socket = await KernelUdp.open(REFLECTOR, 9);
    await socket.send(new Uint8Array(100));
    const states: number[] = [];
    for (let turn = 0; turn < 500 && states.length === 0; turn++) {
      await nic.ready(nic.now() + milliseconds(20));
      nic.rx(64, {
        receive: ({ frame }) => void states.push(frame.checksum, frame.checksumAt - frame.start),
      });
    }
    assert.deepEqual(states, [Checksum.Partial, 34]);
  },
);

xdpTest("a checksum that the sender left to its card is partial in a VLAN, too", async (near, far) => {
  near.claim(Mac.parse(MAC), []);
  const plain = ethernet(ipv4(data(40), { protocol: 17 }), { destination: MAC });
  put16(plain, 40, fold(sum(plain, 26, 34, 17 + 40)));
  const tagged = concat(plain.subarray(0, 12), Uint8Array.of(0x81, 0, 0, 10), plain.subarray(12));
  far.tx(1, {
    send: (slot) => {
      slot.frame.resize(tagged.length);
      slot.frame.bytes.set(tagged, slot.frame.start);
      slot.frame.leaveChecksum(slot.frame.start + 38, 6);
      slot.queue();
    },
  });
  const states: number[][] = [];
  for (let turn = 0; turn < 500 && states.length === 0; turn++) {
    await near.ready(near.now() + milliseconds(20));
    near.rx(64, {
      receive: ({ frame }) =>
        void states.push([frame.length, frame.checksum, frame.checksumAt - frame.start]),
    });
  }
  assert.deepEqual(states, [[tagged.length, Checksum.Partial, 38]]);
});

xdpTest(
  "what there is no room for is counted as missed, and afterwards all is as before",
  async (near, far) => {
    near.claim(Mac.parse(MAC), []);
    for (let turn = 0; turn < 100; turn++) send(far, ...Array.from({ length: 20 }, () => frame(MAC)));
    const taken = await collect(near, 2_000, 700);
    assert.ok(taken.length >= 1_000 && taken.length < 2_000, `${taken.length} taken`);
    // The socket is asked from time to time.
    for (let turn = 0; turn < 100 && near.counters.missed === 0; turn++) await collect(near, 1, 20);
    assert.equal(near.counters.missed, 2_000 - taken.length);
    for (let round = 0; round < 3; round++) {
      send(far, ...Array.from({ length: 20 }, () => frame(MAC)));
      assert.equal((await collect(near, 20)).length, 20);
    }
  },
);

xdpTest("a burst longer than the ring leaves in part, is counted, and blocks nothing", async (near, far) => {
  const burst = Array.from({ length: 3_000 }, () => frame(OTHER));
  send(near, ...burst);
  const { sent } = near.counters;
  assert.ok(sent >= 1_000 && sent <= 2_048, `${sent} sent`);
  await collect(far, sent, 100);
  send(near, frame(OTHER, 70));
  assert.ok(near.counters.sent > sent);
});

xdpTest(
  "while the interface is down nothing arrives, and it goes on when it is up again",
  async (near, far) => {
    near.claim(Mac.parse(MAC), []);
    setInterfaceUp(NEAR, false);
    assert.deepEqual(await collect(near, 1, 50), []);
    send(near, frame(OTHER));
    setInterfaceUp(NEAR);
    for (let turn = 0; turn < 50 && near.counters.received === 0; turn++) {
      send(far, frame(MAC));
      await collect(near, 1, 100);
    }
    assert.ok(near.counters.received > 0);
    assert.equal(near.failure, undefined);
  },
);

xdpTest("an interface that is renamed is the same one (its index is)", async (near, far) => {
  near.claim(Mac.parse(MAC), []);
  // Up, as Linux 6.2 and later have it, or down.
  setInterfaceUp(NEAR, false);
  await ip("link", "set", "dev", NEAR, "name", "eth9");
  setInterfaceUp("eth9");
  setInterfaceMtu("eth9", 1_400);
  // Errors, and what else nobody is woken by, are looked for every half a second.
  await collect(near, 1, 1_200);
  assert.deepEqual([near.failure, near.info.mtu], [undefined, 1_400]);
  for (let turn = 0; turn < 50 && near.counters.received === 0; turn++) {
    send(far, frame(MAC));
    await collect(near, 1, 100);
  }
  assert.ok(near.counters.received > 0);
});

xdpTest("when the interface is removed the NIC has failed, and nobody waits any longer", async (near) => {
  const waiting = (async () => {
    while (near.failure === undefined) {
      near.rx(64, { receive: () => {} });
      await near.ready();
    }
  })();
  await ip("link", "delete", NEAR);
  await waiting;
  assert.match(near.failure ?? "", /^eth1 has been removed; make it again and restart$/);
  assert.equal(near.rx(64, { receive: () => assert.fail() }), 0);
});

xdpTest("an exception in a handler loses no frame, and closing in one is safe", async (near, far) => {
  near.claim(Mac.parse(MAC), []);
  const fault = new Error("fault");
  for (let round = 0; round < 2_100; round++) {
    send(far, frame(MAC));
    for (let turn = 0; turn < 500; turn++) {
      try {
        const count = near.rx(1, {
          receive: () => {
            throw fault;
          },
        });
        assert.equal(count, 0);
        await near.ready(near.now() + milliseconds(20));
      } catch (error) {
        assert.equal(error, fault);
        break;
      }
    }
    assert.equal(near.counters.received, round + 1);
  }
  send(far, frame(MAC), frame(MAC));
  await near.ready(near.now() + seconds(10));
  near.rx(64, {
    receive: (slot) => {
      slot.queue();
      near.close();
    },
  });
  assert.equal(near.counters.sent, 0);
});

xdpTest("the program goes with the NIC", async (near) => {
  assert.match(await ip("-d", "link", "show", "dev", NEAR), /xdp/);
  near.close();
  assert.doesNotMatch(await ip("-d", "link", "show", "dev", NEAR), /prog\/xdp/);
});

peerTest(
  "xdp: without a mode the program runs in the driver where it can, and behind it where it cannot",
  ["ip"],
  undefined,
  async () => {
    await pair();
    const driver = openXdp(NEAR);
    assert.deepEqual([driver.mode, driver.isZeroCopy], ["drv", false]);
    driver.close();
    // A veth has no room for longer frames of the other end in its driver's.
    setInterfaceMtu(TAP, 9_000);
    const generic = openXdp(NEAR);
    assert.deepEqual([generic.mode, generic.isZeroCopy], ["skb", false]);
    generic.close();
  },
);

function refuses(open: () => unknown, kind: NicErrorKind, message: RegExp): void {
  assert.throws(open, (error) => {
    assert.ok(error instanceof NicError, String(error));
    assert.deepEqual([error.kind, error.message.includes("\n")], [kind, false], error.message);
    assert.match(error.message, message);
    return true;
  });
}

kernelTest("xdp: what cannot be opened says why and how to mend it", () => {
  refuses(() => openXdp("nothing0"), "not-found", /^nothing0: no such interface; list them with/);
  refuses(() => openXdp("lo"), "invalid", /^lo: the interface is not Ethernet; choose another one/);
  createTap("tun0", { mode: "tun" });
  refuses(() => openXdp("tun0"), "invalid", /is not Ethernet/);
});

peerTest(
  "xdp: a queue that is taken or is not there, a program, an MTU that does not fit, a mode that is not to be had",
  ["ip"],
  undefined,
  async () => {
    await pair();
    const first = openXdp(NEAR, { mode: "skb" });
    refuses(() => openXdp(NEAR, { mode: "skb" }), "busy", /^eth1: queue 0 is somebody else's; .*queue=N/);
    first.close();
    refuses(() => openXdp(NEAR, { queue: 7 }), "invalid", /^eth1: queue 7 cannot be taken.*ethtool -l eth1/);
    setInterfaceMtu(NEAR, 4_000);
    refuses(
      () => openXdp(NEAR),
      "invalid",
      /^eth1: its MTU of 4000 bytes is more .* ip link set dev eth1 mtu 3820; or use raw:/,
    );
    setInterfaceMtu(NEAR, 1_500);
    setInterfaceMtu(TAP, 9_000);
    refuses(
      () => openXdp(NEAR, { mode: "drv" }),
      "failed",
      /^eth1: the XDP program cannot be attached .*; write mode=skb/,
    );
  },
);

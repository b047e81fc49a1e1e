/** A packet socket as a NIC, over a veth pair whose other end is a second one. */
import assert from "node:assert/strict";
import { NicError, type NicErrorKind } from "../../../nic/error.ts";
import { KernelPing } from "../../../nic/linux/icmp-socket.ts";
import {
  InterfaceFlag,
  interfaceFlags,
  setInterfaceAddress,
  setInterfaceMtu,
  setInterfaceUp,
} from "../../../nic/linux/netif.ts";
import { openRaw, type Raw } from "../../../nic/linux/raw.ts";
import { createTap } from "../../../nic/linux/tun.ts";
import { Checksum, Segmentation } from "../../../stack/frame.ts";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { findProgram } from "../../../scripts/setup/programs.ts";
import { NEAR, pair, TAP } from "../../support/cables.ts";
import { KernelUdp } from "../../support/kernel-udp.ts";
import { kernelTest, run } from "../../support/netns.ts";
import { peerTest } from "../../support/peer.ts";
import { KERNEL, reflect, REFLECTOR } from "../../support/reflector.ts";
import { collect, frame, MAC, OTHER, send } from "../../support/veth.ts";

/** A test over a veth pair with a NIC on either end. */
function rawTest(
  name: string,
  body: (near: Raw, far: Raw) => Promise<void>,
  promiscuous: boolean = false,
): void {
  peerTest(`raw: ${name}`, ["ip"], undefined, async () => {
    await pair();
    const near = openRaw(NEAR, { promiscuous }), far = openRaw(TAP);
    try {
      await body(near, far);
    } finally {
      near.close();
      far.close();
    }
  });
}

peerTest(
  "raw: the kernel's pings are answered where they lie in the ring, and all frames are counted",
  ["ip"],
  undefined,
  async () => {
    await pair();
    setInterfaceAddress(TAP, KERNEL);
    const nic = openRaw(NEAR);
    const reflecting = reflect(nic);
    using ping = new KernelPing();
    let answered = 0;
    // More than the ring has frames.
    for await (
      const { rttMicroseconds } of ping.ping(REFLECTOR, {
        count: 600,
        intervalMs: 0,
        size: 56,
        timeoutMs: 20_000,
      })
    ) {
      if (rttMicroseconds !== undefined) answered++;
    }
    assert.equal(answered, 600);
    const { received, sent, sentBytes } = nic.counters;
    assert.ok(received >= sent && sent >= 601, "600 echoes and an ARP or, from a busy machine, more");
    assert.equal(sentBytes, (sent - 600) * 42 + 600 * 98);
    assert.deepEqual([nic.info.mtu, nic.mac.length], [1_500, 6]);
    nic.close();
    await reflecting;
  },
);

rawTest(
  "the kernel passes what is for us and for groups, and keeps the rest (packet(7), SO_ATTACH_FILTER)",
  async (near, far) => {
    near.claim(Mac.parse(MAC));
    send(
      far,
      frame(OTHER),
      frame(MAC, 50),
      frame("ff:ff:ff:ff:ff:ff", 51),
      frame("33:33:ff:00:00:01", 52),
      frame("02:00:00:00:01:01"),
    );
    assert.deepEqual((await collect(near, 3)).map(({ length }) => length - 14), [50, 51, 52]);
    assert.deepEqual(await collect(near, 1, 100), []);
    assert.equal(near.counters.received, 3, "the others did not come as far as the ring");
  },
);

rawTest(
  "unless promiscuous, when frames for everybody come, and the interface says so",
  async (near, far) => {
    near.claim(Mac.parse(MAC));
    send(far, frame(OTHER, 50), frame(MAC, 51));
    assert.deepEqual((await collect(near, 2)).map(({ length }) => length - 14), [50, 51]);
    near.close();
    far.close();
    assert.equal(interfaceFlags(NEAR) & InterfaceFlag.Promiscuous, 0);
  },
  true,
);

rawTest(
  "what the host itself sends over the interface does not come back, nor what we send",
  async (near) => {
    setInterfaceAddress(NEAR, "10.9.0.1/24");
    // Nobody has this address: the host asks for it.
    using host = await KernelUdp.open("10.9.0.77", 9);
    await host.send(new Uint8Array(10));
    send(near, frame(OTHER));
    assert.deepEqual(await collect(near, 1, 100), []);
  },
);

rawTest("a VLAN tag that the kernel has taken out is put back (IEEE 802.1Q)", async (near, far) => {
  const tag = Uint8Array.of(0x81, 0x00, 0x60, 0x2a);
  const untagged = frame(MAC, 46);
  const tagged = Uint8Array.of(...untagged.subarray(0, 12), ...tag, ...untagged.subarray(12));
  send(far, tagged, untagged);
  assert.deepEqual(await collect(near, 2), [tagged, untagged]);
});

peerTest(
  "raw: a checksum that the sender left to its card is partial, and said to be",
  ["ip"],
  undefined,
  async () => {
    await pair();
    setInterfaceAddress(TAP, KERNEL);
    await run(findProgram("ip") ?? "ip", "neigh", "add", REFLECTOR, "lladdr", MAC, "dev", TAP);
    const nic = openRaw(NEAR);
    using socket = await KernelUdp.open(REFLECTOR, 9);
    await socket.send(new Uint8Array(100));
    const states: number[] = [];
    for (let turn = 0; turn < 500 && states.length === 0; turn++) {
      await nic.ready(nic.now() + milliseconds(20));
      nic.rx(64, {
        receive: ({ frame }) => {
          if (frame.length === 142) {
            states.push(frame.checksum, frame.segmentation, frame.checksumAt - frame.start);
          }
        },
      });
    }
    assert.deepEqual(states, [Checksum.Partial, Segmentation.None, 34]);
    nic.close();
  },
);

rawTest("what the ring has no room for is counted as missed", async (near, far) => {
  for (let turn = 0; turn < 40; turn++) send(far, ...Array.from({ length: 20 }, () => frame(MAC)));
  const taken = await collect(near, 800, 200);
  send(far, frame(MAC));
  assert.equal((await collect(near, 1)).length, 1);
  assert.ok(taken.length >= 200 && taken.length < 800, `${taken.length} taken`);
  assert.equal(near.counters.missed, 800 - taken.length);
});

rawTest("an MTU that is changed is followed, whichever way the first long frame goes", async (near, far) => {
  for (const name of [NEAR, TAP]) setInterfaceMtu(name, 3_000);
  send(far, frame(MAC, 2_900));
  assert.equal((await collect(near, 1)).length, 1);
  assert.equal(near.info.mtu, 3_000);
  for (const name of [NEAR, TAP]) setInterfaceMtu(name, 1_400);
  send(near, frame(OTHER, 2_900), frame(OTHER, 1_400));
  assert.deepEqual([near.counters.sendFailed, near.counters.sent, near.info.mtu], [1, 1, 1_400]);
});

rawTest(
  "while the interface is down nothing is sent, and it goes on when it is up again",
  async (near, far) => {
    setInterfaceUp(NEAR, false);
    assert.deepEqual(await collect(near, 1, 50), []);
    send(near, frame(OTHER), frame(OTHER));
    assert.deepEqual([near.counters.sendFailed, near.failure], [2, undefined]);
    setInterfaceUp(NEAR);
    // The kernel drops what is sent until it has noticed that there is a carrier again.
    for (let turn = 0; turn < 50 && near.counters.received === 0; turn++) {
      send(far, frame(MAC));
      await collect(near, 1, 100);
    }
    assert.ok(near.counters.received > 0);
    send(near, frame(OTHER));
    assert.equal(near.counters.sent, 1);
  },
);

rawTest(
  "an interface that is renamed, while it is up or down, is the same one (its index is)",
  async (near, far) => {
    const ip = findProgram("ip") ?? "ip";
    const arrives = async (frames: readonly Uint8Array[]) => {
      for (let turn = 0; turn < 50; turn++) {
        send(far, ...frames);
        if ((await collect(near, 1, 100)).length > 0) return true;
      }
      return false;
    };
    setInterfaceUp(NEAR, false);
    await collect(near, 1, 50);
    await run(ip, "link", "set", "dev", NEAR, "name", "eth9");
    await collect(near, 1, 250);
    assert.equal(near.failure, undefined);
    setInterfaceUp("eth9");
    assert.ok(await arrives([frame(MAC)]));
    setInterfaceMtu(TAP, 2_000);
    setInterfaceMtu("eth9", 2_000);
    assert.ok(await arrives([frame(MAC, 1_900)]));
    assert.equal(near.info.mtu, 2_000);
  },
);

rawTest("when the interface is removed the NIC has failed, and nobody waits any longer", async (near) => {
  const waiting = (async () => {
    while (near.failure === undefined) {
      near.rx(64, { receive: () => {} });
      await near.ready();
    }
  })();
  await run(findProgram("ip") ?? "ip", "link", "delete", NEAR);
  await waiting;
  assert.match(near.failure ?? "", /^eth1 has been removed; make it again and restart$/);
  await near.ready();
  assert.equal(near.rx(64, { receive: () => assert.fail() }), 0);
});

rawTest("a frame that is kept after the NIC was closed can be read, and holds nothing", async (near, far) => {
  send(far, frame(MAC));
  await near.ready(near.now() + seconds(10));
  let kept: Uint8Array | undefined;
  near.rx(1, {
    receive: (slot) => void (kept = slot.frame.bytes.subarray(slot.frame.start, slot.frame.end)),
  });
  assert.equal(kept?.[0], 2);
  near.close();
  assert.deepEqual([...new Set(kept)], [0]);
});

rawTest(
  "an exception in a handler loses no frame of the ring, and closing in one is safe",
  async (near, far) => {
    const fault = new Error("fault");
    for (let round = 0; round < 300; round++) {
      send(far, frame(MAC));
      await near.ready(near.now() + seconds(10));
      assert.throws(() =>
        near.rx(1, {
          receive: () => {
            throw fault;
          },
        }), fault);
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
  },
);

kernelTest("raw: what cannot be opened says why and how to mend it", () => {
  const refuses = (name: string, kind: NicErrorKind, message: RegExp) => {
    assert.throws(() => openRaw(name), (error) => {
      assert.ok(error instanceof NicError, String(error));
      assert.deepEqual([error.kind, error.message.includes("\n")], [kind, false]);
      assert.match(error.message, message);
      return true;
    });
  };
  refuses("nothing0", "not-found", /^nothing0: no such interface; list them with/);
  refuses("lo", "invalid", /^lo: the interface is not Ethernet; choose another one/);
  createTap("tun0", { mode: "tun" });
  refuses("tun0", "invalid", /is not Ethernet/);
  refuses("a/b", "invalid", /is no name for an interface/);
});

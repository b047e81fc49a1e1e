import { deepEqual, equal, ok } from "node:assert/strict";
import { link } from "../../../nic/link/link.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import { Checksum, Segmentation } from "../../../stack/frame.ts";
import { Icmp } from "../../../stack/icmp/endpoint.ts";
import { Ping, type PingResult } from "../../../stack/icmp/ping.ts";
import { Ip } from "../../../stack/ip/endpoint.ts";
import { OFFLOADING } from "../../../stack/slot.ts";
import { Address } from "../../../stack/wire/address.ts";
import { data, OWN, OWN_MAC, PEER, PEER_MAC } from "../../support/frames.ts";
import { testNic } from "../../support/nic_contract.ts";

const IDLE = { receive: () => {} };

testNic("link", () => {
  const [nic, peer] = link({ slots: 8 });
  const fill = (length: number) =>
    peer.tx(1, {
      send: (slot) => {
        slot.frame.resize(length);
        slot.queue();
      },
    });
  return { nic, arrive: (length) => equal(fill(length), 1), clear: () => void peer.rx(64, IDLE) };
});

Deno.test("link: a frame arrives at the other end, byte for byte, and at that end only", () => {
  const [left, right] = link();
  left.tx(1, {
    send: (slot) => {
      slot.frame.resize(20);
      slot.frame.bytes.set(data(20), slot.frame.start);
      slot.queue();
    },
  });
  equal(left.rx(64, IDLE), 0);
  equal(
    right.rx(64, {
      receive: ({ frame }) => deepEqual(frame.bytes.slice(frame.start, frame.end), data(20)),
    }),
    1,
  );
});

Deno.test("link: what one end has left to the other by its capabilities stays left: checksums, and segments in one", () => {
  const [left, right] = link({ capabilities: OFFLOADING });
  left.tx(1, {
    send: (slot) => {
      const { frame } = slot;
      ok(frame.resize(0xffff + 14), "what a NIC is to cut has room");
      frame.leaveChecksum(frame.start + 34, 16);
      frame.segmentation = Segmentation.TcpV4;
      frame.segmentSize = 1_460;
      slot.queue();
    },
  });
  const seen: unknown[] = [];
  right.rx(64, {
    receive: ({ frame }) => {
      const { start, checksum, checksumAt, checksumField, segmentation, segmentSize } = frame;
      seen.push([frame.length, checksum, checksumAt - start, checksumField, segmentation, segmentSize]);
    },
  });
  deepEqual(seen, [[0xffff + 14, Checksum.Partial, 34, 16, Segmentation.TcpV4, 1_460]]);
});

Deno.test("link: two hosts: the address is asked for, the echo answered, the checksums right", () => {
  const [left, right] = link();
  const results: PingResult[] = [];
  const ping = new Ping({
    destination: Address.parse(PEER),
    identifier: 1,
    count: 3,
    interval: 10,
    onResult: (result) => results.push(result),
  });
  const near = { eth: new Eth({ mac: OWN_MAC }), ip: new Ip({ addresses: [`${OWN}/24`] }), icmp: new Icmp() };
  const far = {
    eth: new Eth({ mac: PEER_MAC }),
    ip: new Ip({ addresses: [`${PEER}/24`] }),
    icmp: new Icmp(),
  };
  const receive = near.eth.recv(near.ip.recv(near.icmp.recv((packet) => ping.receive(packet))));
  const send = near.eth.send(near.ip.send(near.icmp.send(ping)));
  const answer = far.eth.recv(far.ip.recv(far.icmp.answer()));
  const internal = far.eth.send(far.ip.layerInternal());
  for (let now = 0; now < 1_000 && !ping.done; now++) {
    left.setTime(now);
    right.setTime(now);
    left.rx(64, receive);
    left.tx(64, send);
    right.rx(64, answer);
    right.tx(64, internal);
  }
  deepEqual(results.map(({ sequence }) => sequence), [1, 2, 3]);
  deepEqual([far.ip.arp.counters.requests, far.icmp.counters.answered], [1, 3]);
  equal(far.ip.counters.wrongChecksum + near.ip.counters.wrongChecksum, 0);
});

Deno.test("link: with a clock of its own a wait ends at its deadline, be it near or decades away", async () => {
  const [left] = link({ clock: () => 0 });
  await left.ready(1_000);
  const [other] = link({ clock: () => 0 });
  let isWaiting = true;
  const far = other.ready(2 ** 50).then(() => isWaiting = false);
  await new Promise((resolve) => setTimeout(resolve, 5));
  equal(isWaiting, true, "a deadline beyond a timer's range has not passed");
  other.close();
  await far;
});

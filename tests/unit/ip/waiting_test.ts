import { deepEqual, equal } from "node:assert/strict";
import { LayerError } from "../../../stack/error.ts";
import type { WaitingPacket } from "../../../stack/host/neighbours.ts";
import type { IpInit, IpRaw } from "../../../stack/ip/packet.ts";
import { Loss } from "../../../stack/loss/endpoint.ts";
import { OFFLOADING } from "../../../stack/slot.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { arpReply, data, expectFrame, OWN, PEER, PEER_MAC, read } from "../../support/frames.ts";
import { counted, type Host, host, type HostOptions } from "../../support/host.ts";

const INIT: IpInit = {
  source: new Address(),
  destination: Address.parse(PEER),
  protocol: Protocol.Udp,
  length: 4,
};

/** A host that sends packets in their order, each once, to a peer that it does not know. */
class Posting {
  readonly made: Host;
  readonly line: IpInit[] = [];
  /** How many have been taken out of the line. */
  posted = 0;
  readonly refused: LayerError[] = [];
  readonly lost: string[] = [];

  constructor(options: HostOptions = {}) {
    this.made = host({ knowsPeer: false, send: () => (packet) => this.send(packet), ...options });
  }

  /** Puts packets to the peer in line. */
  post(...inits: Partial<IpInit>[]): this {
    for (const init of inits) {
      this.line.push({ ...INIT, origin: { undelivered: (packet) => this.lost.push(show(packet)) }, ...init });
    }
    return this;
  }

  send(packet: IpRaw): void {
    const init = this.line.shift();
    if (init === undefined) return;
    const number = ++this.posted;
    const out = packet.prepare(init);
    if (typeof out === "number") this.refused.push(out);
    else {
      out.frame.bytes.set(data(init.length, number), out.payloadAt);
      out.send();
    }
  }
}

/** The first byte of a packet's payload, and its length. */
function show({ bytes, at, end }: WaitingPacket): string {
  return `${bytes[at + 20]} ${end - at - 20}`;
}

/** The first bytes of the payloads of frames to the peer. */
function payloads(frames: readonly Uint8Array[]): number[] {
  return frames.map((frame) => {
    const { destination, ip, payload } = read(frame);
    deepEqual([destination, ip?.destination], [PEER_MAC, PEER]);
    return payload[0]!;
  });
}

Deno.test("ip: packets that wait leave their buffer to the request for their neighbour, in one burst", () => {
  const posting = new Posting().post({}, {}, {});
  const frames = posting.made.transmit();
  equal(frames.length, 1);
  expectFrame(frames[0], { arp: { target: PEER, sender: OWN } });
  equal(posting.posted, 3);
  posting.made.deliver(arpReply());
  deepEqual(payloads(posting.made.transmit()), [1, 2, 3]);
  deepEqual(counted(posting.made.ip.counters), { waited: 3, sent: 3 });
});

Deno.test("ip: a packet to a known neighbour leaves in the buffer of one that waits", () => {
  const posting = new Posting().post({}, { destination: Address.parse("10.0.0.7") });
  posting.made.knows("10.0.0.7", "02:00:00:00:00:07");
  const [request, packet] = posting.made.transmit();
  expectFrame(request, { arp: { target: PEER } });
  expectFrame(packet, { ip: { destination: "10.0.0.7" } });
});

Deno.test("ip: a sender without an end ends the burst when its packets only get in line", () => {
  const made = host({
    knowsPeer: false,
    send: () => (packet) => {
      const out = packet.prepare(INIT);
      if (typeof out !== "number") out.send();
    },
  });
  equal(made.transmit().length, 1);
  equal(made.transmit().length, 0);
  equal(made.ip.counters.waited, 19);
});

Deno.test("ip: what has waited is whole and its checksums are filled, even where a NIC fills them", () => {
  const posting = new Posting({ nic: { capabilities: OFFLOADING } }).post({ trafficClass: 4, hopLimit: 9 });
  posting.made.transmit();
  posting.made.deliver(arpReply());
  const [frame] = posting.made.transmit();
  expectFrame(frame, { ip: { source: OWN, destination: PEER, hopLimit: 9 } });
  deepEqual(read(frame).payload, data(4, 1));
});

Deno.test("ip: a packet that is too long for its path waits whole, and leaves in fragments (RFC 791 3.2)", () => {
  const posting = new Posting().post({ length: 4_000 }, { length: 100 });
  equal(posting.made.transmit().length, 1);
  posting.made.deliver(arpReply());
  const fragments = posting.made.transmit();
  deepEqual(
    fragments.map((frame) => [read(frame).ip!.offset, read(frame).payload.length]).sort((a, b) =>
      a[1]! - b[1]!
    ),
    [[0, 100], [2_960, 1_040], [0, 1_480], [1_480, 1_480]],
  );
  deepEqual(counted(posting.made.ip.counters), { waited: 2, sent: 4, fragmentsSent: 3 });
});

Deno.test("ip: no more than half of the frames for long packets are kept waiting, and all are given back", () => {
  const posting = new Posting({ ip: { largePackets: 4 } });
  posting.post({ length: 3_000 }, { length: 3_000 }, { length: 3_000 });
  for (let wait = 0; wait <= 3; wait++) posting.made.at(seconds(wait)).transmit();
  deepEqual(posting.refused, [LayerError.Unreachable]);
  equal(posting.made.ip.counters.unresolved, 1);
  posting.made.transmit();
  deepEqual(posting.lost, ["1 3000", "2 3000"]);
  equal(Array.from({ length: 4 }, () => posting.made.ip.large.take()).includes(undefined), false);
});

Deno.test("ip: who sent a packet is told when its neighbour does not answer (RFC 1122 2.3.2.2)", () => {
  const posting = new Posting().post({}, { length: 9 });
  for (let wait = 0; wait < 3; wait++) posting.made.at(seconds(wait)).transmit();
  deepEqual(posting.lost, []);
  for (let turn = 0; turn < 2; turn++) posting.made.at(seconds(3)).transmit();
  deepEqual(posting.lost, ["1 4", "2 9"]);
  deepEqual(counted(posting.made.ip.counters), { waited: 2, notSent: 2 });
  equal(posting.made.deadline, NEVER);
  deepEqual(posting.made.ip.neighbours.size, 0);
});

Deno.test("ip: a packet that may not wait is refused, and the look-up is noted", () => {
  const posting = new Posting().post({ mayWait: false });
  equal(posting.made.transmit().length, 0);
  equal(posting.made.transmit().length, 1);
  deepEqual(posting.refused, [LayerError.Unreachable]);
  deepEqual(counted(posting.made.ip.counters), { unresolved: 1 });
});

Deno.test("ip: what loss takes does not wait, and nothing else is lost in its place", () => {
  const loss = new Loss({ rate: 1 });
  const posting: Posting = new Posting({ send: () => loss.send((packet: IpRaw) => posting.send(packet)) });
  posting.post({});
  posting.made.transmit();
  expectFrame(posting.made.transmit()[0], { arp: { target: PEER } });
  posting.made.deliver(arpReply());
  deepEqual(posting.made.transmit(), []);
  equal(loss.counters.egress, 1);
});

Deno.test("ip: an entry made by hand lets go what waits for it", () => {
  const posting = new Posting().post({});
  posting.made.transmit();
  posting.made.knows(PEER, PEER_MAC);
  deepEqual(payloads(posting.made.transmit()), [1]);
});

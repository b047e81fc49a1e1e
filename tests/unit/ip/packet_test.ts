import { deepEqual, equal, throws } from "node:assert/strict";
import { LayerError } from "../../../stack/error.ts";
import type { IpIn, IpInit, IpOut, IpRaw } from "../../../stack/ip/packet.ts";
import { ALL_IGNORED } from "../../../stack/slot.ts";
import { Address } from "../../../stack/wire/address.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ipv4Wire from "../../../stack/wire/ipv4.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import {
  data,
  ethernet,
  expectFrame,
  ipv4,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
  read,
} from "../../support/frames.ts";
import { counted, host, type HostOptions } from "../../support/host.ts";

const to = (length: number, more: Partial<IpInit> = {}): IpInit => ({
  source: new Address(),
  destination: Address.parse(PEER),
  protocol: Protocol.Udp,
  length,
  ...more,
});

function done<P extends object>(result: P | number): P {
  if (typeof result === "number") throw new Error(`refused with ${result}`);
  return result;
}

/** Delivers a packet of 40 bytes of payload to a handler, and answers with what left. */
function receive(
  handler: (packet: IpIn) => void,
  options: HostOptions = {},
  fields: { options?: number[] } = {},
) {
  const packet = ipv4(data(40), { protocol: Protocol.Udp, ...fields });
  return host({ receive: () => handler, ...options }).deliver(ethernet(packet));
}

/** Asks a handler for one packet, and answers with the host and what left. */
function transmit(handler: (packet: IpRaw) => void, options: HostOptions = {}) {
  const made = host({ send: () => handler, ...options });
  return { ...made, counters: made.ip.counters, frames: made.transmit(1) };
}

Deno.test("ip: prepare and send write a whole header, checksum included (RFC 791 3.1)", () => {
  const { frames, counters } = transmit((packet) => {
    const out = done(packet.prepare(to(4, { hopLimit: 9, trafficClass: 0xb8 })));
    deepEqual([out.source.toString(), out.destination.toString(), out.protocol], [OWN, PEER, Protocol.Udp]);
    out.frame.bytes.set(data(4), out.payloadAt);
    equal(out.send(), LayerError.None);
  });
  expectFrame(frames[0], {
    destination: PEER_MAC,
    source: OWN_MAC,
    etherType: EtherType.Ipv4,
    ip: {
      source: OWN,
      destination: PEER,
      protocol: Protocol.Udp,
      hopLimit: 9,
      trafficClass: 0xb8,
      totalLength: 24,
      flags: ipv4Wire.Flag.DontFragment,
      identification: 0,
      isChecksumRight: true,
    },
    payload: data(4),
  });
  deepEqual(counted(counters), { sent: 1 });
});

Deno.test("ip: the hop limit is 64 unless the sender says otherwise; 0 must not be sent (RFC 1122 3.2.1.7)", () => {
  expectFrame(transmit((packet) => done(packet.prepare(to(0))).send()).frames[0], { ip: { hopLimit: 64 } });
  for (const hopLimit of [0, 256, -1]) {
    const { frames } = transmit((packet) => equal(packet.prepare(to(0, { hopLimit })), LayerError.Illegal));
    deepEqual(frames, []);
  }
});

Deno.test("ip: the checksum is the NIC's to fill where it says so", () => {
  const { frames } = transmit((packet) => done(packet.prepare(to(0))).send(), {
    nic: { capabilities: ALL_IGNORED },
  });
  equal(read(frames[0]).ip?.isChecksumRight, false);
});

Deno.test("ip: a payload over the MTU that must not be fragmented is BadSize, and the packet is still Raw", () => {
  const { frames, counters } = transmit((packet) => {
    equal(packet.prepare(to(1481, { dontFragment: true })), LayerError.BadSize);
    equal(packet.prepare(to(-1)), LayerError.BadSize, "a header must not run over its frame");
    done(packet.prepare(to(1480))).send();
  });
  equal(frames[0]?.length, 1514);
  deepEqual(counted(counters), { sent: 1, notSent: 1 });
});

Deno.test("ip: a length that the header cannot hold is BadSize on any link (RFC 791 3.1)", () => {
  const nic = { mtu: 100_000, slots: 2 };
  const { frames } = transmit((packet) => {
    equal(packet.prepare(to(65_516)), LayerError.BadSize);
    done(packet.prepare(to(65_515))).send();
  }, { nic });
  expectFrame(frames[0], { ip: { totalLength: 65_535 } });
});

Deno.test("ip: an unresolved neighbour refuses prepare, and the packet is still Raw for another", () => {
  const { frames } = transmit((packet) => {
    equal(packet.prepare(to(4, { destination: Address.parse("8.8.8.8") })), LayerError.Unreachable);
    equal(packet.prepare(to(4, { source: Address.parse("10.0.0.99") })), LayerError.Illegal);
    done(packet.prepare(to(4))).send();
  });
  expectFrame(frames[0], { ip: { destination: PEER } });
});

Deno.test("ip: an answer in place: the init may be the packet's own addresses, and no payload byte moves", () => {
  const [frame] = receive((packet) => {
    const { payloadAt, frame } = packet;
    const { end } = frame;
    const out = done(packet.reinit({ ...to(40), source: packet.destination, destination: packet.source }));
    deepEqual([out.payloadAt, out.frame.end], [payloadAt, end]);
    out.send();
  });
  expectFrame(frame, {
    destination: PEER_MAC,
    ip: { source: OWN, destination: PEER, headerLength: 20, isChecksumRight: true },
    payload: data(40),
  });
});

Deno.test("ip: an answer to a packet with options moves the start only: the header shrinks towards the payload", () => {
  const [frame] = receive(
    (packet) => {
      const { payloadAt } = packet;
      const { start, end } = packet.frame;
      equal(payloadAt - packet.headerAt, 32);
      const out = done(packet.reinit(to(40)));
      deepEqual([out.payloadAt, out.frame.start, out.frame.end], [payloadAt, start + 12, end]);
      out.send();
    },
    {},
    { options: [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0] },
  );
  expectFrame(frame, { ip: { headerLength: 20, totalLength: 60, isChecksumRight: true }, payload: data(40) });
});

Deno.test("ip: reinit to a longer payload grows to the front, over the old header, and keeps the old payload", () => {
  const [frame] = receive((packet) => {
    const { end } = packet.frame;
    const quoted = end - packet.headerAt;
    const out = done(packet.reinit(to(8 + quoted)));
    equal(out.frame.end, end);
    out.frame.bytes.fill(0xee, out.payloadAt, out.payloadAt + 8);
    out.send();
  });
  const { payload } = read(frame);
  deepEqual(
    payload.slice(8),
    ipv4(data(40), { protocol: Protocol.Udp }),
    "the received packet, header and all",
  );
});

Deno.test("ip: a refused reinit leaves the packet In, its bytes and fields untouched", () => {
  receive((packet) => {
    const { bytes, start, end } = packet.frame;
    const before = bytes.slice(start, end);
    equal(packet.reinit(to(9_999, { dontFragment: true })), LayerError.BadSize);
    equal(packet.reinit(to(-1)), LayerError.BadSize);
    equal(packet.reinit(to(40, { destination: Address.parse("8.8.8.8") })), LayerError.Unreachable);
    equal(packet.reinit(to(40, { hopLimit: 0 })), LayerError.Illegal);
    deepEqual(bytes.slice(packet.frame.start, packet.frame.end), before);
    deepEqual([packet.source.toString(), packet.destination.toString()], [PEER, OWN]);
    equal(packet.frame.end - packet.payloadAt, 40);
    done(packet.deinit());
  });
});

Deno.test("ip: deinit gives the buffer back for something new", () => {
  const [frame] = receive((packet) => {
    const out = done(packet.deinit().prepare(to(3)));
    out.frame.bytes.set(data(3), out.payloadAt);
    out.send();
  });
  expectFrame(frame, { ip: { source: OWN, destination: PEER, totalLength: 23 }, payload: data(3) });
});

Deno.test("ip: intoIn takes what was prepared as if it had been received, groups included", () => {
  transmit((packet) => {
    const received = done(packet.prepare(to(4))).intoIn();
    deepEqual([received.source.toString(), received.hopLimit, received.isGroup], [OWN, 64, false]);
    equal(received.link.etherType, EtherType.Ipv4);
    done(received.deinit());
  });
  for (const destination of ["224.0.0.251", "255.255.255.255", "10.0.0.255"]) {
    transmit((packet) => {
      const received = done(packet.prepare(to(4, { destination: Address.parse(destination) }))).intoIn();
      equal(received.isGroup, true, destination);
    });
  }
});

Deno.test("ip: a received packet's fields are at hand", () => {
  const seen: unknown[] = [];
  const packet = ipv4(data(4), { protocol: 99, hopLimit: 3, trafficClass: 0x2e });
  host({
    receive: () => (packet) => {
      seen.push(
        `${packet.source}`,
        `${packet.destination}`,
        packet.protocol,
        packet.hopLimit,
        packet.trafficClass,
      );
      seen.push(packet.isGroup, packet.payloadAt - packet.headerAt, `${packet.link.mac}`);
    },
  }).deliver(ethernet(packet));
  deepEqual(seen, [PEER, OWN, 99, 3, 0x2e, false, 20, OWN_MAC]);
});

for (const guard of [true, false]) {
  Deno.test(`ip: a step through an outdated reference throws (${guard ? "guard" : "plain"} mode)`, () => {
    let kept: IpIn | undefined;
    let unsent: IpOut | undefined;
    let raw: IpRaw | undefined;
    receive((packet) => {
      kept = packet;
      const out = done(packet.reinit(to(40)));
      throws(() => packet.reinit(to(40)));
      throws(() => packet.deinit());
      throws(() => packet.link);
      out.send();
      throws(() => out.send());
      throws(() => out.intoIn());
    }, { guard });
    transmit((packet) => {
      raw = packet;
      unsent = done(packet.prepare(to(4)));
      throws(() => packet.prepare(to(4)));
    }, { guard });
    const [a, b, c] = [kept!, unsent!, raw!];
    throws(() => a.deinit());
    throws(() => b.send());
    throws(() => c.prepare(to(1)));
  });
}

Deno.test("ip: one endpoint at two places of one tree: a packet inside a packet (RFC 2003)", () => {
  const seen: string[] = [];
  const made = host({
    receive: ({ ip, eth, nic }) => {
      const inner = eth.recv(ip.recv((packet) => seen.push(`inner ${packet.protocol} ${packet.source}`)));
      return (packet) => {
        // The outer packet's place is still in use while the same endpoint receives what it carries.
        const carried = packet.frame.bytes.slice(packet.payloadAt, packet.frame.end);
        nic.inject(ethernet(carried));
        nic.rx(1, inner);
        seen.push(`outer ${packet.protocol} ${packet.source}`);
        done(packet.reinit(to(carried.length, { protocol: packet.protocol }))).send();
      };
    },
  });
  const carried = ipv4(data(8), { protocol: 99, source: "10.0.0.77" });
  const [frame] = made.deliver(ethernet(ipv4(carried, { protocol: 4 })));
  deepEqual(seen, ["inner 99 10.0.0.77", `outer 4 ${PEER}`]);
  deepEqual(read(frame).payload, carried);
  equal(made.ip.counters.received, 2);
});

Deno.test("ip: a NIC that cannot send a received buffer makes send Illegal, and that is counted", () => {
  const made = host({
    nic: { canAnswer: false },
    receive: () => (packet) => equal(done(packet.reinit(to(4))).send(), LayerError.Illegal),
  });
  made.deliver(ethernet(ipv4(data(4))));
  deepEqual(counted(made.ip.counters), { received: 1, notSent: 1 });
});

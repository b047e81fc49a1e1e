/**
 * UDP over both families: RFC 768, RFC 1122 4.1, RFC 8200 8.1, RFC 8201.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { protocols } from "../../stack/ip/protocols.ts";
import { Udp } from "../../stack/udp/endpoint.ts";
import type { BindOptions } from "../../stack/udp/bindings.ts";
import { seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { put16 } from "../../stack/wire/bytes.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as wire from "../../stack/wire/udp.ts";
import {
  familyHost,
  familyTest,
  frameOf,
  isV6,
  message,
  own,
  packet,
  peer,
  readPacket,
} from "../support/family.ts";
import { concat, data } from "../support/frames.ts";
import { FAMILIES, join, pattern, slices } from "../support/fragments.ts";
import { counted, type Host } from "../support/host.ts";

const PORT = 7, PEER_PORT = 5_000;

interface Fields {
  readonly to?: number;
  readonly from?: number;
  /** The checksum as it is, in place of the right one. */
  readonly checksum?: number;
  /** The length that the header tells. */
  readonly length?: number;
}

/** A datagram of the peer's. */
function datagram(
  payload: Uint8Array,
  { to = PORT, from = PEER_PORT, checksum, length }: Fields = {},
): Uint8Array {
  const header = new Uint8Array(wire.HEADER_LENGTH);
  wire.emit(header, 0, from, to, wire.HEADER_LENGTH + payload.length);
  const bytes = concat(header, payload);
  wire.fillChecksum(bytes, 0, Address.parse(peer()), Address.parse(own()));
  if (checksum !== undefined) put16(bytes, wire.CHECKSUM, checksum);
  if (length !== undefined) wire.setLength(bytes, 0, length);
  return bytes;
}

const sent = (payload: Uint8Array, fields: Fields = {}) =>
  frameOf(packet(datagram(payload, fields), { protocol: Protocol.Udp }));

/** A host with an echo on the port. */
function echoing(options: Partial<BindOptions> = {}): Host & { readonly udp: Udp } {
  let udp!: Udp;
  const made = familyHost({
    nic: { frameLength: 9_100 },
    receive: ({ icmp }) => {
      udp = new Udp({ unreachable: icmp });
      udp.bind({ port: PORT, ...options }, (datagram) => void datagram.echo());
      return protocols({ icmp: icmp.recv(udp.errors()), udp: udp.recv() });
    },
  });
  return Object.assign(made, { udp });
}

/** The payload of a datagram of the host's, which must be right. */
function payloadOf(frame: Uint8Array | undefined): Uint8Array {
  const view = frame === undefined ? undefined : readPacket(frame, Protocol.Udp);
  ok(view !== undefined);
  deepEqual([String(view.source), String(view.destination)], [own(), peer()]);
  ok(wire.verifyChecksum(frame!, view.payloadAt, view.source, view.destination));
  deepEqual([wire.sourcePort(frame!, view.payloadAt), wire.destinationPort(frame!, view.payloadAt)], [
    PORT,
    PEER_PORT,
  ]);
  return frame!.slice(view.payloadAt + wire.HEADER_LENGTH, view.end);
}

familyTest(
  "udp: a datagram is echoed to its sender, its checksum over the pseudo-header of the family (RFC 768)",
  () => {
    for (const length of [0, 1, 2, 47, 48, 1_400]) {
      deepEqual(payloadOf(echoing().deliver(sent(data(length)))[0]), data(length));
    }
  },
);

familyTest(
  "udp: without a checksum a datagram is right over IPv4 and wrong over IPv6 (RFC 1122 4.1.3.4, RFC 8200 8.1)",
  () => {
    const made = echoing();
    const answers = made.deliver(sent(data(9), { checksum: 0 }));
    equal(answers.length, isV6() ? 0 : 1);
    equal(made.udp.counters.wrongChecksum, isV6() ? 1 : 0);
  },
);

familyTest(
  "udp: a wrong checksum, and lengths that contradict each other, are dropped (RFC 1122 4.1.3.4)",
  () => {
    const made = echoing();
    deepEqual(
      made.deliver(
        sent(data(9), { checksum: 0x1234 }),
        sent(data(9), { length: 7 }),
        sent(data(9), { length: 99 }),
      ),
      [],
    );
    deepEqual(counted(made.udp.counters), { wrongChecksum: 1, malformed: 1, truncated: 1 });
  },
);

familyTest("udp: a closed port is told to the sender (RFC 1122 4.1.3.1, RFC 4443 3.1)", () => {
  const made = echoing();
  const [error] = made.deliver(sent(data(9), { to: 9 }));
  const view = readPacket(error!, isV6() ? Protocol.Icmpv6 : Protocol.Icmp);
  ok(view !== undefined);
  deepEqual([error![view.payloadAt], error![view.payloadAt + 1]], isV6() ? [1, 4] : [3, 3]);
  equal(made.udp.counters.closedPort, 1);
});

familyTest("udp: datagrams of up to 64 KiB come and go in fragments (RFC 791 3.2, RFC 8200 4.5)", () => {
  const family = FAMILIES[isV6() ? 1 : 0]!;
  for (const length of [1_473, 8_000, 65_507]) {
    const made = echoing();
    const parts = slices(family, datagram(pattern(length)), 1_400).map((_, index, all) => {
      const from = index * 1_400;
      const to = Math.min(from + 1_400, length + wire.HEADER_LENGTH);
      return family.fragment(datagram(pattern(length)), from, to, index === all.length - 1, {
        protocol: Protocol.Udp,
      });
    });
    for (const part of parts) made.deliver(part);
    const { payload, protocol } = join(made.transmit(1_000));
    equal(protocol, Protocol.Udp);
    deepEqual(payload.slice(wire.HEADER_LENGTH), pattern(length));
    ok(wire.verifyChecksum(payload, 0, Address.parse(own()), Address.parse(peer())), "over all of it");
  }
});

familyTest(
  "udp: an error is told to the binding that is connected to whom it is about, once each (RFC 1122 4.1.3.3)",
  () => {
    const heard: (readonly [number, number])[] = [];
    const made = echoing({
      peer: { address: Address.parse(peer()), port: PEER_PORT },
      onError: (type, code) => heard.push([type, code]),
    });
    const quoted = (from: number, to: number) => {
      const header = new Uint8Array(8);
      wire.emit(header, 0, from, to, 100);
      return packet(header, {
        protocol: Protocol.Udp,
        source: own(),
        destination: peer(),
        totalLength: 1_500,
      });
    };
    const [type, code] = isV6() ? [1, 4] : [3, 3];
    made.deliver(message(quoted(PORT, PEER_PORT), { type, code, identifier: 0, sequence: 0 }));
    deepEqual(heard, [[type, code]]);
    for (const [from, to] of [[8, PEER_PORT], [PORT, 4_999]] as const) {
      made.deliver(message(quoted(from, to), { type, code, identifier: 0, sequence: 0 }));
    }
    equal(heard.length, 1);
    equal(made.udp.counters.strayErrors, 2);
  },
);

familyTest(
  "udp: a datagram too big for its path is the last one sent whole (RFC 1191 6.2, RFC 8201 5.3)",
  () => {
    const made = echoing();
    const [whole] = made.deliver(sent(pattern(1_400)));
    const quoted = whole!.slice(14, 14 + 500);
    const [type, code] = isV6() ? [2, 0] : [3, 4];
    made.deliver(message(quoted, { type, code, identifier: 0, sequence: 1_300 }));
    equal(made.ip.pathMtus.get(Address.parse(peer()), 0), 1_300);
    deepEqual(made.deliver(sent(pattern(1_400))), []);
    deepEqual(join(made.transmit()).payload.slice(wire.HEADER_LENGTH), pattern(1_400));
  },
);

familyTest(
  "udp: a connected binding hears that its peer is not on the link, once a datagram (RFC 1122 2.3.2.2, RFC 4861 7.2.2)",
  () => {
    const udp = new Udp();
    const heard: (readonly [string, number, number])[] = [];
    const binding = (port: number, connected: boolean) =>
      udp.bind({
        port,
        ...(connected ? { peer: { address: Address.parse(peer()), port: PEER_PORT } } : {}),
        onError: (type, code) => heard.push([`${port}`, type, code]),
      }, () => {});
    binding(PORT, true);
    binding(8, false);
    const ports = [PORT, 8, PORT];
    const made = familyHost({
      knowsPeer: false,
      send: () =>
        udp.send((raw) => {
          const sourcePort = ports.shift();
          if (sourcePort === undefined) return;
          const to = { source: Address.parse(own()), destination: Address.parse(peer()) };
          const out = raw.prepare({ ...to, sourcePort, destinationPort: PEER_PORT, length: 10 });
          if (typeof out !== "number") out.send();
        }),
    });
    for (let now = 0; now <= seconds(4); now += seconds(1)) made.at(now).transmit();
    made.transmit();
    const [type, code] = isV6() ? [1, 3] : [3, 1];
    deepEqual(heard, [["7", type, code], ["7", type, code]]);
    equal(made.ip.neighbours.waiting.counters.givenUp, 3);
  },
);

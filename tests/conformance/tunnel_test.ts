/** Tunnels: RFC 2003 (IP in IP), RFC 4213 (IPv6 in IPv4), RFC 2784 (GRE), RFC 6040 (congestion marks). */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Ip } from "../../stack/ip/endpoint.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { seconds } from "../../stack/store/time.ts";
import { Tunnel } from "../../stack/tunnel/endpoint.ts";
import { put16 } from "../../stack/wire/bytes.ts";
import { checksum } from "../../stack/wire/checksum.ts";
import * as icmpWire from "../../stack/wire/icmpv4.ts";
import * as ipv4Wire from "../../stack/wire/ipv4.ts";
import * as ipv6Wire from "../../stack/wire/ipv6.ts";
import { concat, data, ethernet, icmp, ipv4, type Ipv4Fields, OWN, PEER, read } from "../support/frames.ts";
import { icmpv6, ipv6 } from "../support/frames-v6.ts";
import { counted, host } from "../support/host.ts";
import { INNER, INNER6, INNER_PEER, INNER_PEER6, tunnelHost, wrapped } from "../support/tunnel.ts";

const IP = 14, INSIDE = 34;

/** An echo request inside of the tunnel. */
const echo = (fields: Ipv4Fields = {}, payload = data(8)) =>
  ipv4(icmp(payload), { source: INNER_PEER, destination: INNER, ...fields });

const echo6 = () =>
  ipv6(icmpv6(data(8), { type: 128 }, INNER_PEER6, INNER6), { source: INNER_PEER6, destination: INNER6 });

const greHeader = (protocol: number, flags = 0) =>
  new Uint8Array([flags >> 8, flags & 0xff, protocol >> 8, protocol & 0xff]);

Deno.test("tunnel: what comes out is answered into it, in both headers (RFC 2003 3)", () => {
  const { made, tunnel } = tunnelHost();
  const [answer] = made.deliver(wrapped(echo()));
  const outer = read(answer);
  deepEqual([outer.ip!.source, outer.ip!.destination, outer.ip!.protocol], [OWN, PEER, 4]);
  // RFC 2003 3.1: the outer packet has a hop limit of its own.
  equal(outer.ip!.hopLimit, 64);
  ok(outer.ip!.isChecksumRight);
  const inner = read(ethernet(answer!.slice(INSIDE)));
  deepEqual([inner.ip!.source, inner.ip!.destination, inner.icmp!.type], [INNER, INNER_PEER, 0]);
  ok(inner.ip!.isChecksumRight && inner.icmp!.isChecksumRight);
  deepEqual(counted(tunnel.counters), { received: 1, sent: 1 });
});

Deno.test("tunnel: IPv6 in IPv4 is protocol 41 (RFC 4213 3)", () => {
  const { made } = tunnelHost();
  const [answer] = made.deliver(wrapped(echo6()));
  equal(read(answer).ip!.protocol, 41);
  equal(ipv6Wire.check(answer!, INSIDE, answer!.length), 0);
  equal(icmpWire.type(answer!, INSIDE + 40), 129);
});

Deno.test("tunnel: only the other end's packets come out, and only those for our own end (RFC 4213 3.6)", () => {
  const { made, tunnel } = tunnelHost();
  made.ip.addresses.add("10.0.0.7/24");
  deepEqual(made.deliver(wrapped(echo(), { source: "10.0.0.3" })), []);
  deepEqual(made.deliver(wrapped(echo(), { destination: "10.0.0.7" })), []);
  deepEqual(counted(tunnel.counters), { wrongPeer: 2 });
});

Deno.test("tunnel: what is inside must be what the protocol says, and whole", () => {
  const { made, tunnel } = tunnelHost();
  made.deliver(wrapped(echo6(), { protocol: 4 }), wrapped(echo(), { protocol: 41 }));
  made.deliver(wrapped(echo().slice(0, 19)), wrapped(new Uint8Array(0), { protocol: 4 }));
  made.deliver(wrapped(echo(), { protocol: 47 }));
  deepEqual(counted(tunnel.counters), { wrongVersion: 1, truncated: 3, otherProtocol: 1 });
});

Deno.test("tunnel: the outer header gets the inner one's class and mark on the way in (RFC 6040 4.1, RFC 2983)", () => {
  for (const trafficClass of [0, 0xb8, 1, 2, 3, 0xff]) {
    const { made } = tunnelHost();
    const [answer] = made.deliver(wrapped(echo({ trafficClass }), { trafficClass }));
    equal(read(answer).ip!.trafficClass, ipv4Wire.trafficClass(answer!, INSIDE));
  }
});

Deno.test("tunnel: marks come out as RFC 6040 4.2, figure 4 has it, and the inner checksum follows", () => {
  const NOT = 0, ECT1 = 1, ECT0 = 2, CE = 3, DROP = -1;
  // By the outer mark, then the inner one.
  const expected: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
    [NOT]: [[NOT, NOT], [ECT0, ECT0], [ECT1, ECT1], [CE, CE]],
    [ECT0]: [[NOT, NOT], [ECT0, ECT0], [ECT1, ECT1], [CE, CE]],
    [ECT1]: [[NOT, NOT], [ECT0, ECT1], [ECT1, ECT1], [CE, CE]],
    [CE]: [[NOT, DROP], [ECT0, CE], [ECT1, CE], [CE, CE]],
  };
  for (const [outer, pairs] of Object.entries(expected)) {
    for (const [inner, out] of pairs) {
      let seen = DROP;
      const { made, tunnel } = tunnelHost({}, (packet) => seen = packet.trafficClass);
      made.deliver(wrapped(echo({ trafficClass: 0xa0 | inner }), { trafficClass: Number(outer) }));
      equal(seen, out === DROP ? DROP : 0xa0 | out, `${outer} ${inner}`);
      equal(tunnel.counters.congested, out === DROP ? 1 : 0);
    }
  }
});

Deno.test("tunnel: a packet between the tunnel's own ends is neither wrapped nor unwrapped (RFC 2003 3.1)", () => {
  const { made, tunnel } = tunnelHost();
  deepEqual(made.deliver(wrapped(echo({ source: PEER, destination: OWN }))), []);
  deepEqual(counted(tunnel.counters), { recursive: 1 });
});

Deno.test("tunnel: the MTU inside is what the outer headers leave (RFC 2003 5.1)", () => {
  const { made, tunnel } = tunnelHost();
  const fits = made.deliver(wrapped(echo({}, data(1_500 - 20 - 28))));
  equal(fits[0]!.length, 14 + 1_500);
  equal(tunnel.info.mtu, 1_480);
  equal(tunnelHost({ gre: true }).tunnel.info.mtu, 1_476);
  equal(new Tunnel({ local: "2001:db8::1", remote: "2001:db8::2" }).info.mtu, 1_460);
});

Deno.test("tunnel: a router's word that the path is narrow narrows the tunnel for ten minutes (RFC 2003 5.1, RFC 1191 6.3)", () => {
  const { made, tunnel } = tunnelHost();
  const [sent] = made.deliver(wrapped(echo({}, data(1_400))));
  const tooBig = (mtu: number, about = sent!) =>
    ethernet(
      ipv4(icmp(about.slice(IP, IP + 100), { type: 3, code: 4, identifier: 0, sequence: mtu }), {
        source: "10.0.0.9",
      }),
    );
  // RFC 5927 7: nothing below what every host takes, and nothing that is wider than what was sent.
  made.deliver(
    tooBig(68),
    tooBig(1_450),
    tooBig(1_300, ethernet(ipv4(data(60), { source: OWN, destination: "10.0.0.3" }))),
  );
  equal(tunnel.info.mtu, 1_480);
  made.deliver(tooBig(1_300));
  equal(tunnel.info.mtu, 1_280);
  equal(tunnel.counters.errors, 3);
  made.at(seconds(601)).deliver(wrapped(echo()));
  equal(tunnel.info.mtu, 1_480);
});

Deno.test("tunnel: GRE carries both families behind a header of four bytes (RFC 2784 2)", () => {
  const { made, tunnel } = tunnelHost({ gre: true });
  const [v4] = made.deliver(wrapped(concat(greHeader(0x800), echo()), { protocol: 47 }));
  equal(read(v4).ip!.protocol, 47);
  deepEqual(v4!.slice(INSIDE, INSIDE + 4), greHeader(0x800));
  equal(ipv4Wire.check(v4!, INSIDE + 4, v4!.length), 0);
  const [v6] = made.deliver(wrapped(concat(greHeader(0x86dd), echo6()), { protocol: 47 }));
  deepEqual(v6!.slice(INSIDE, INSIDE + 4), greHeader(0x86dd));
  deepEqual(counted(tunnel.counters), { received: 2, sent: 2 });
});

Deno.test("tunnel: GRE with a checksum is verified; other options, versions and protocols are refused (RFC 2784 2.3)", () => {
  const { made, tunnel } = tunnelHost({ gre: true });
  const checked = concat(greHeader(0x800, 0x8000), new Uint8Array(4), echo());
  put16(checked, 4, checksum(checked, 0, checked.length, 0));
  equal(made.deliver(wrapped(checked, { protocol: 47 })).length, 1);
  const wrong = checked.slice();
  wrong[5]!++;
  made.deliver(wrapped(wrong, { protocol: 47 }));
  for (const flags of [0x4000, 0x2000, 0x1000, 0x0400, 0x0001]) {
    made.deliver(wrapped(concat(greHeader(0x800, flags), echo()), { protocol: 47 }));
  }
  made.deliver(wrapped(concat(greHeader(0x806), echo()), { protocol: 47 }));
  made.deliver(
    wrapped(greHeader(0x800).slice(0, 3), { protocol: 47 }),
    wrapped(greHeader(0x800, 0x8000), { protocol: 47 }),
  );
  made.deliver(wrapped(echo(), { protocol: 4 }));
  deepEqual(counted(tunnel.counters), {
    received: 1,
    sent: 1,
    wrongChecksum: 1,
    badHeader: 5,
    wrongVersion: 1,
    truncated: 2,
    otherProtocol: 1,
  });
});

Deno.test("tunnel: a tunnel in a tunnel: the class of IP three times and one ICMP at all of them, in one tree", () => {
  const outside = new Tunnel({ local: OWN, remote: PEER }), middle = new Ip({ addresses: [`${INNER}/30`] });
  const inside = new Tunnel({ local: INNER, remote: INNER_PEER, gre: true });
  const inmost = new Ip({ addresses: ["10.8.0.1/30"] });
  const made = host({
    receive: ({ icmp }) => {
      const answer = icmp.answer();
      const second = protocols({ icmp: answer, other: inside.recv(inmost.recv(answer)) });
      return protocols({ icmp: answer, other: outside.recv(middle.recv(second)) });
    },
    send: () => outside.send(middle.send(inside.send(inmost.layerInternal()))),
  });
  const deepest = ipv4(icmp(), { source: "10.8.0.2", destination: "10.8.0.1" });
  const packet = ipv4(concat(greHeader(0x800), deepest), {
    source: INNER_PEER,
    destination: INNER,
    protocol: 47,
  });
  const [answer] = made.deliver(wrapped(packet));
  equal(answer!.length, wrapped(packet).length);
  equal(icmpWire.type(answer!, 14 + 20 + 20 + 4 + 20), 0);
  equal(inside.info.mtu, 1_500 - 20 - 24);
  // Each layer alone is answered, too.
  equal(made.deliver(wrapped(echo())).length, 1);
  equal(made.deliver(ethernet(ipv4(icmp()))).length, 1);
  equal(made.icmp.counters.answered, 3);
});

Deno.test("tunnel: ends that cannot be are refused", () => {
  for (
    const [local, remote] of [[OWN, OWN], [OWN, "2001:db8::1"], [OWN, "224.0.0.1"], [
      "0.0.0.0",
      PEER,
    ]] as const
  ) {
    throws(() => new Tunnel({ local, remote }), RangeError);
  }
});

import { deepEqual, equal, throws } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { LayerError } from "../../../stack/error.ts";
import { setGuard } from "../../../stack/guard.ts";
import type { Receive, Send } from "../../../stack/handler.ts";
import { Icmp } from "../../../stack/icmp/endpoint.ts";
import { Ip } from "../../../stack/ip/endpoint.ts";
import type { LinkIn, LinkOut, LinkRaw } from "../../../stack/link.ts";
import { PointToPoint } from "../../../stack/ptp/endpoint.ts";
import { Medium } from "../../../stack/slot.ts";
import { Address } from "../../../stack/wire/address.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { data, echoRequest, OWN } from "../../support/frames.ts";
import { counted } from "../../support/host.ts";

const ETHERNET_HEADER = 14;

/** The packet of an Ethernet frame. */
const bare = (frame: Uint8Array) => frame.slice(ETHERNET_HEADER);

const to = (length: number, etherType: number = EtherType.Ipv4) => ({
  destination: new Mac(),
  etherType,
  length,
});

/** A link on a NIC whose frames are IP packets. */
class Host {
  readonly nic = new External({ medium: Medium.Ip, frameLength: 1_500 });
  readonly link = new PointToPoint();

  receive(upper: Receive<LinkIn>, ...packets: Uint8Array[]): (Uint8Array | undefined)[] {
    setGuard(true);
    const receiver = this.link.recv(upper);
    setGuard(false);
    for (const packet of packets) equal(this.nic.inject(packet), true);
    this.nic.rx(64, receiver);
    return packets.map(() => this.nic.take());
  }

  send(upper: Send<LinkRaw>): Uint8Array | undefined {
    setGuard(true);
    const sender = this.link.send(upper);
    setGuard(false);
    this.nic.tx(1, sender);
    return this.nic.take();
  }
}

Deno.test("ptp: the version field says what a packet is; what is neither IPv4 nor IPv6 is dropped and counted", () => {
  const host = new Host();
  const types: number[] = [];
  host.receive(
    (packet) => void types.push(packet.etherType),
    Uint8Array.of(0x45, 0),
    Uint8Array.of(0x60),
    Uint8Array.of(0x00),
    Uint8Array.of(0xf5, 1),
    new Uint8Array(0),
  );
  deepEqual(types, [EtherType.Ipv4, EtherType.Ipv6]);
  deepEqual(counted(host.link.counters), { received: 2, unknownVersion: 2, truncated: 1 });
});

Deno.test("ptp: an echo request is answered in place, without Ethernet and without ARP", () => {
  const host = new Host();
  const ip = new Ip({ addresses: [`${OWN}/24`] });
  const icmp = new Icmp();
  const [answer] = host.receive(ip.recv(icmp.answer()), bare(echoRequest()));
  equal(answer?.length, bare(echoRequest()).length);
  deepEqual([answer?.[0], answer?.[20]], [0x45, 0]);
  equal(icmp.counters.answered, 1);
  deepEqual(counted(ip.arp.counters), {});
});

Deno.test("ptp: no neighbour is looked up: the first packet to anybody on the link leaves at once", () => {
  const host = new Host();
  const ip = new Ip({ addresses: [`${OWN}/24`] });
  const packet = host.send(ip.send((raw) => {
    const out = raw.prepare({
      source: new Address(),
      destination: Address.parse("10.0.0.77"),
      protocol: Protocol.Udp,
      length: 8,
    });
    if (typeof out === "number") throw new Error(`refused with ${out}`);
    out.send();
  }));
  equal(packet?.length, 28);
  equal(ip.counters.unresolved, 0);
  equal(host.link.counters.sent, 1);
});

Deno.test("ptp: what is no IP packet cannot be sent, nor what is over the MTU, and the packet is still Raw", () => {
  const host = new Host();
  const packet = host.send((raw) => {
    equal(raw.resolves, false);
    equal(raw.prepare(to(28, EtherType.Arp)), LayerError.Illegal);
    equal(raw.prepare(to(1_501)), LayerError.BadSize);
    equal(raw.prepare(to(-1)), LayerError.BadSize);
    const out = raw.prepare(to(1_500, EtherType.Ipv6));
    if (typeof out === "number") throw new Error(`refused with ${out}`);
    equal(out.payloadAt, out.frame.start);
    equal(out.send(), LayerError.None);
  });
  equal(packet?.length, 1_500);
  deepEqual(counted(host.link.counters), { sent: 1, notIp: 1 });
});

Deno.test("ptp: reinit keeps the payload's tail, deinit gives an empty buffer, intoIn turns back", () => {
  const host = new Host();
  const packet = Uint8Array.of(0x45, ...data(9));
  const [answer, refused, again] = host.receive(
    (received) => {
      if (received.frame.length === 10) {
        const out = received.reinit(to(4)) as LinkOut;
        deepEqual([...out.frame.bytes.subarray(out.payloadAt, out.frame.end)], [6, 7, 8, 9]);
        out.send();
      } else if (received.frame.length === 1) {
        equal(received.reinit(to(9_000)), LayerError.BadSize);
        const out = received.deinit().prepare(to(2)) as LinkOut;
        out.frame.bytes.fill(7, out.payloadAt, out.frame.end);
        out.send();
      } else {
        const out = received.reinit(to(3)) as LinkOut;
        const turned = out.intoIn();
        equal(turned.etherType, EtherType.Ipv4);
        throws(() => out.send(), /./);
      }
    },
    packet,
    Uint8Array.of(0x40),
    Uint8Array.of(0x40, 1, 2),
  );
  deepEqual([answer, refused, again], [Uint8Array.of(6, 7, 8, 9), Uint8Array.of(7, 7), undefined]);
});

Deno.test("ptp: a step through an outdated reference throws", () => {
  const host = new Host();
  let kept: LinkRaw | undefined;
  host.send((raw) => void (kept = raw));
  throws(() => kept?.prepare(to(1)), /revoked|does not fit/);
});

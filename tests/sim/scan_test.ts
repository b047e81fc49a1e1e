/**
 * Scans and floods at 100,000 packets a second through the whole stack, on virtual time: what is kept stays within its
 * limits, and neighbours that are known are served as if there was nothing else.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Udp } from "../../stack/udp/endpoint.ts";
import { seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { put32 } from "../../stack/wire/bytes.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import * as ipv4Wire from "../../stack/wire/ipv4.ts";
import {
  arpFrame,
  arpReply,
  data,
  echoRequest,
  ethernet,
  icmp,
  ipv4,
  OWN,
  PEER,
  PEER_MAC,
  read,
} from "../support/frames.ts";
import { icmpv6, ipv6, OWN6, PEER6 } from "../support/frames-v6.ts";
import { Host } from "../support/host.ts";
import { advertisement, ndpHost, solicitation } from "../support/ndp.ts";
import { LEFT_HOST, LEFT_HOST_MAC, LEFT_MAC, TestRouter } from "../support/router.ts";

/** One packet each 10 us is 100,000 a second. */
const GAP = 10;
/** The addresses of a /16. */
const ADDRESSES = 65_536;
/** An established neighbour is heard from after so many packets. */
const CHECKS = 256;

/** What a cache of the default size may hold: neighbours that are known, and look-ups; and packets that wait. */
const NEIGHBOURS = 1_024 + 256, WAITING = 256;

const WIDE = { addresses: [`${OWN}/16`] };

/** Lets a neighbour become known as neighbours do: we look it up, and it answers. */
function establish(made: Host): void {
  deepEqual(made.deliver(echoRequest()), []);
  equal(read(made.transmit()[0]).arp?.target, PEER);
  made.deliver(arpReply());
  equal(made.transmit().length, 1);
}

/** Checks that the neighbour is answered at once, to its station. */
function assertServed(made: Host, request: Uint8Array): void {
  const [reply, ...more] = made.deliver(request);
  equal(more.length, 0);
  equal(read(reply).destination, PEER_MAC, "an established neighbour goes without an answer");
}

/** Checks what is kept, and that in the end nothing is left of it. */
function assertBounded({ ip: { neighbours } }: Host): void {
  ok(neighbours.size <= NEIGHBOURS, `${neighbours.size} neighbours`);
  ok(neighbours.waiting.size <= WAITING, `${neighbours.waiting.size} packets wait`);
}

/** Lets all look-ups end, and checks that what waited has ended somehow, and nobody is owed anything. */
function assertOver(made: Host, from: number): void {
  for (let second = 0; second <= 5; second++) {
    made.at(from + seconds(second));
    for (let turn = 0; turn < 20; turn++) made.transmit();
  }
  const { counters, size, hasNews } = made.ip.neighbours.waiting;
  // One has left: the first one for the neighbour that there is.
  equal(counters.waited, counters.overflowed + counters.givenUp + 1, "packets that waited");
  deepEqual([size, hasNews], [0, false]);
}

Deno.test("scan: UDP to every address of a /16 at 100,000 a second asks for few, keeps little, and serves the known", () => {
  const udp = new Udp();
  const destination = new Address();
  const init = { source: new Address(), destination, sourcePort: 9, destinationPort: 9, length: 64 };
  let due = 0, sent = 0, refused = 0;
  const made = new Host({
    ip: WIDE,
    knowsPeer: false,
    guard: false,
    send: () =>
      udp.send((raw) => {
        if (due === 0) return;
        due--;
        destination.setV4(0x0a000000 | (sent++ & 0xffff));
        const out = raw.prepare(init);
        if (typeof out === "number") refused++;
        else out.send();
      }),
  });
  establish(made);
  let requests = 0;
  for (let count = 0; count < ADDRESSES; count++) {
    made.at(count * GAP);
    due++;
    for (const frame of made.transmit()) if (read(frame).arp !== undefined) requests++;
    if (count % CHECKS !== 0) continue;
    assertServed(made, echoRequest());
    assertBounded(made);
  }
  equal(sent, ADDRESSES);
  const { lookups } = made.ip.neighbours.counters;
  // 0.66 s: nobody who is looked up has had its second, so that no more than fit are asked for, once each.
  deepEqual([lookups, requests], [1 + 256, 256]);
  const { waited, unresolved } = made.ip.counters;
  ok(waited + refused >= ADDRESSES - 4, `${waited} ${refused} ${unresolved}`);
  assertOver(made, ADDRESSES * GAP);
  equal(made.ip.neighbours.size, 1, "only the neighbour that there is is left");
});

Deno.test("scan: a router that is scanned through asks for few, keeps little, and passes on to who is known", () => {
  const router = new TestRouter();
  const known = ethernet(
    ipv4(data(40), { source: LEFT_HOST, destination: "10.0.1.2", protocol: 17 }),
    { destination: LEFT_MAC, source: LEFT_HOST_MAC },
  );
  const scan = known.slice();
  let requests = 0, told = 0;
  for (let count = 0; count < ADDRESSES; count++) {
    put32(scan, 14 + ipv4Wire.DESTINATION, 0x0a000103 + (count % 250));
    ipv4Wire.fillChecksum(scan, 14);
    router.at(count * GAP);
    router.deliver(router.left, scan);
    if (count % 16 === 0) {
      const { left, right } = router.transmit();
      requests += right.length;
      told += left.length;
    }
    if (count % CHECKS === 0) equal(router.deliver(router.left, known).right.length, 1);
  }
  ok(requests <= 250, `${requests} requests`);
  equal(told, 0);
  const { waited, unresolved } = router.router.counters;
  equal(waited + unresolved, ADDRESSES);
  for (let second = 1; second <= 5; second++) {
    router.at(seconds(second));
    for (let turn = 0; turn < 20; turn++) told += router.transmit().left.length;
  }
  // The errors' limit is 50 at once and 1,000 a second, and 16 of them are in line.
  ok(told > 0 && told <= 16 * 5, `${told} errors`);
  const { counters } = router.right.ip.neighbours.waiting;
  equal(counters.waited, counters.overflowed + counters.givenUp);
});

Deno.test("flood: 65,536 strangers who ask for echoes, none of whom answers ARP, leave the known neighbour served", () => {
  const made = new Host({ ip: WIDE, knowsPeer: false, guard: false });
  establish(made);
  const request = echoRequest();
  let asked = 0;
  for (let count = 0; count < ADDRESSES; count++) {
    made.at(count * GAP);
    const stranger = ethernet(ipv4(icmp(data(8)), { source: `10.0.${count >> 8}.${count & 255}` }));
    deepEqual(made.deliver(stranger).filter((frame) => read(frame).destination !== PEER_MAC), []);
    if (count % 16 === 0) asked += made.transmit().length;
    if (count % CHECKS !== 0) continue;
    assertServed(made, request);
    assertBounded(made);
  }
  equal(asked, 256, "one request for each look-up that there is room for");
  assertOver(made, ADDRESSES * GAP);
  equal(made.ip.neighbours.size, 1);
});

Deno.test("flood: ARP requests of 65,536 stations are answered, and push out nobody who has answered us", () => {
  const made = new Host({ ip: WIDE, knowsPeer: false, guard: false });
  establish(made);
  const request = echoRequest();
  let answered = 0;
  for (let count = 0; count < ADDRESSES; count++) {
    made.at(count * GAP);
    const frame = arpFrame({
      sender: `10.0.${count >> 8}.${count & 255}`,
      senderMac: `02:00:00:01:${(count >> 8).toString(16).padStart(2, "0")}:${
        (count & 255).toString(16).padStart(2, "0")
      }`,
    });
    // Who claims the address of the one that is known is believed, as ARP has it (RFC 826).
    if (`10.0.${count >> 8}.${count & 255}` !== PEER) answered += made.deliver(frame).length;
    if (count % CHECKS !== 0) continue;
    assertServed(made, request);
    assertBounded(made);
  }
  // Those whose sender is nobody's, ours, the network's or everybody's are none.
  ok(answered >= ADDRESSES - 4, `${answered} answers`);
  equal(made.ip.neighbours.size, 1_024, "the cache is full of the latest, and the one that is known");
});

Deno.test("flood: ARP replies that nobody asked for make no entry, and change none", () => {
  const made = new Host({ ip: WIDE, knowsPeer: false, guard: false });
  establish(made);
  for (let count = 0; count < ADDRESSES; count++) {
    made.at(count * GAP);
    const frame = arpReply({ sender: `10.0.${count >> 8}.${count & 255}`, senderMac: "02:00:00:00:00:77" });
    if (`10.0.${count >> 8}.${count & 255}` !== PEER) made.deliver(frame);
    if (count % CHECKS === 0) assertServed(made, echoRequest());
  }
  equal(made.ip.neighbours.size, 1);
});

/** A host with IPv6 and a neighbour that it has looked up. */
function establish6(): Host {
  const made = ndpHost({ guard: false });
  const request = ethernet(ipv6(icmpv6(data(8))), { etherType: EtherType.Ipv6 });
  made.deliver(request);
  made.transmit();
  made.deliver(advertisement());
  ok(made.transmit().length >= 1);
  equal(made.ip.neighbours.station(Address.parse(PEER6))?.toString(), PEER_MAC);
  return made;
}

const address6 = (count: number) => `2001:db8::5:${count.toString(16)}`;

Deno.test("flood: 65,536 addresses of a /64 ask for echoes over IPv6, and the known neighbour is served", () => {
  const made = establish6();
  const request = ethernet(ipv6(icmpv6(data(8))), { etherType: EtherType.Ipv6 });
  for (let count = 0; count < ADDRESSES; count++) {
    made.at(count * GAP);
    const source = address6(count);
    const message = icmpv6(data(8), {}, source, OWN6);
    made.deliver(ethernet(ipv6(message, { source }), { etherType: EtherType.Ipv6 }));
    if (count % 16 === 0) made.transmit();
    if (count % CHECKS !== 0) continue;
    assertServed(made, request);
    assertBounded(made);
  }
  equal(made.ip.neighbours.counters.lookups, 1 + 256);
  assertOver(made, ADDRESSES * GAP);
  equal(made.ip.neighbours.size, 1);
});

Deno.test("flood: solicitations and advertisements of 65,536 addresses push out nobody who has answered us", () => {
  const made = establish6();
  const request = ethernet(ipv6(icmpv6(data(8))), { etherType: EtherType.Ipv6 });
  for (let count = 0; count < ADDRESSES; count++) {
    made.at(count * GAP);
    const source = address6(count);
    made.deliver(solicitation({ source, mac: "02:00:00:00:00:77" }));
    made.deliver(advertisement({ source, target: source, mac: "02:00:00:00:00:77" }));
    if (count % 4 === 0) made.transmit();
    if (count % CHECKS !== 0) continue;
    made.transmit();
    assertServed(made, request);
    assertBounded(made);
  }
  const { evicted, lost } = made.ip.neighbours.counters;
  ok(evicted > 60_000 && lost === 0, `${evicted} ${lost}`);
});

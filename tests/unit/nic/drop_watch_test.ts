import { deepEqual, equal } from "node:assert/strict";
import * as mod from "../../../mod.ts";
import {
  capture,
  DropWatch,
  isDropCounter,
  link,
  monotonic,
  PcapReader,
  PcapWriter,
  Stack,
} from "../../../mod.ts";
import { join } from "../../support/pcap.ts";

/** What counters of ours count when something is not done: dropped, lost, refused, not sent, or not taken note of. */
const DROPS: readonly string[] =
  `acceptOverflows badAddress badFragment badHeader badHopLimit badLinkControl badOffload badOptions badQuery
  badRedirect badSender badSource closedPort congested conflicts directedBroadcast down duplicateFragment duplicates
  egress errorsNotSent evicted exhausted failed filtered forRouters forbiddenError fragmentOverflow givenUp groupEcho
  hopLimit ignored ingress known limited limitedChallenges limitedError linkBroadcast lost malformed martianDestination
  martianSource missed noNextHeader noRoute notForUs notIp notPassed notQueued notSent notTaken offLink otherEtherType otherProtocol
  otherVlan overLimit overflow overflowed overlappingFragment reassemblyGivenUp reassemblyTimeout recursive refused
  refusedByRoute refusedExtension sendFailed sendFull silenced sourceRoute stray strayErrors synDropped toGroup tooBig
  tooLong tooManyExtensions tooManyRanges truncated unacceptable unanswered undelivered unexpected unhandled unicastInGroup unknown
  unknownVersion unresolved unsentErrors untagged unusable unwantedOffload useless wrongChecksum wrongPeer wrongVersion`
    .split(/\s+/);

Deno.test("drop watch: of each counter of ours it is known whether it counts drops", () => {
  const classes = Object.entries(mod).filter(([name]) => name.endsWith("Counters"));
  equal(classes.length > 20, true);
  const wrong = classes.flatMap(([name, value]) => {
    if (typeof value !== "function") return [];
    const counters: object = Reflect.construct(value, []);
    const fields = Object.entries(counters).filter(([, count]) => typeof count === "number").map(([field]) =>
      field
    );
    return fields.filter((field) => isDropCounter(field) !== DROPS.includes(field)).map((field) =>
      `${name}.${field}`
    );
  });
  const remedy = "each goes into the list in nic/pcap/drop-watch.ts, or else into the one above";
  equal(wrong.length, 0, `${wrong.join(", ")}: ${remedy}`);
});

Deno.test("drop watch: no frame of an ordinary TCP connection is called dropped, and one to a closed port is", async () => {
  const [left, right] = link({ clock: monotonic });
  const chunks: Uint8Array[] = [];
  const watched: { watch?: DropWatch } = {};
  const spied = capture(left, new PcapWriter((chunk) => chunks.push(chunk.slice())), {
    dropReason: () => watched.watch?.reason(),
  });
  {
    await using here = await Stack.open({ nic: spied, addresses: ["10.0.0.1/24"] });
    await using there = await Stack.open({ nic: right, addresses: ["10.0.0.2/24"] });
    const { eth, arp, ip, icmp, udp, tcp } = here.counters;
    watched.watch = new DropWatch({ eth, arp, ip, icmp, udp, tcp });
    using listener = here.listen({ port: 7 });
    const accepted = listener.accept();
    using client = await there.connect({ hostname: "10.0.0.1", port: 7 });
    using server = await accepted;
    await client.write(new Uint8Array(10_000));
    client.closeWrite();
    for (const buffer = new Uint8Array(4_096); await server.read(buffer) !== null;);
    await there.connect({ hostname: "10.0.0.1", port: 8 }).catch(() => {});
  }
  spied.close();
  right.close();
  const reader = new PcapReader();
  reader.push(join(...chunks));
  const comments = new Set<string | undefined>();
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) comments.add(packet.comment);
  // On a machine that stands still for a while, a segment may come twice.
  comments.delete("dropped: tcp.unacceptable");
  deepEqual(comments, new Set([undefined, "dropped: tcp.stray"]));
});

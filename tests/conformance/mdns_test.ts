/**
 * The multicast DNS responder by the rules of RFC 6762, on virtual time.
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { type MdnsOptions, MdnsResponder } from "../../stack/mdns/responder.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { Random } from "../../stack/loss/random.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../../stack/store/time.ts";
import { Udp } from "../../stack/udp/endpoint.ts";
import { get16 } from "../../stack/wire/bytes.ts";
import * as dns from "../../stack/wire/dns.ts";
import { readMessage } from "../../stack/wire/dns-record.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { datagram } from "../support/dhcp.ts";
import { dnsMessage, type MessageFields, type RecordFields } from "../support/dns.ts";
import { OWN, PEER, read } from "../support/frames.ts";
import { counted, type Host, host } from "../support/host.ts";

const GROUP = "224.0.0.251", MAC = "01:00:5e:00:00:fb", NAME = "box.local", REVERSE = "1.0.0.10.in-addr.arpa";
const FLUSH = 0x8001, UNICAST = 0x8001;

/** A message that the responder has sent. */
interface Said {
  readonly at: Instant;
  readonly to: string;
  readonly port: number;
  readonly hopLimit: number;
  readonly isResponse: boolean;
  readonly id: number;
  /** "name type" each. */
  readonly questions: readonly string[];
  /** "name type class ttl data" each; data of an address only. */
  readonly records: readonly string[];
}

class World {
  readonly host: Host;
  readonly responder: MdnsResponder;
  #now: Instant = 0;

  constructor(options: Partial<MdnsOptions> = {}, seed = 1) {
    const udp = new Udp();
    const random = new Random(seed);
    let responder: MdnsResponder | undefined;
    this.host = host({
      guard: false,
      receive: () => protocols({ udp: udp.recv() }),
      send: ({ ip }) => {
        responder = new MdnsResponder({ ip, udp, random: () => random.next(), hostname: "Box", ...options });
        return udp.send(responder);
      },
    });
    ok(responder !== undefined);
    this.responder = responder;
  }

  get now(): Instant {
    return this.#now;
  }

  at(now: Instant): Said[] {
    this.#now = now;
    return this.host.at(now).transmit().flatMap((frame) => said(frame, now) ?? []);
  }

  /** Goes on to a time, and answers with all that is said until then. */
  until(end: Instant): Said[] {
    const all: Said[] = [];
    while (this.host.deadline <= end) all.push(...this.at(Math.max(this.#now, this.host.deadline)));
    all.push(...this.at(end));
    return all;
  }

  /** A message arrives at the group. */
  hear(fields: MessageFields, from: { source?: string; port?: number; to?: string } = {}): Said[] {
    const { source = PEER, port = 5_353, to = GROUP } = from;
    this.host.deliver(
      datagram(
        dnsMessage({ flags: 0, ...fields }),
        source,
        port,
        to,
        5_353,
        to === GROUP ? { destination: MAC } : {},
      ),
    );
    return this.at(this.#now);
  }

  ask(name: string, type: number, more: MessageFields = {}): Said[] {
    return this.hear({ questions: [[name, type]], ...more });
  }

  /** The name is had. */
  run(): this {
    this.until(seconds(10));
    equal(this.responder.state, "running");
    return this;
  }
}

function said(frame: Uint8Array, at: Instant): Said | undefined {
  const view = read(frame);
  if (view.ip?.protocol !== Protocol.Udp) return undefined;
  equal(get16(view.payload, 0), 5_353);
  const bytes = view.payload.slice(8);
  equal(dns.check(bytes, 0, bytes.length), 0);
  const message = readMessage(bytes, 0, bytes.length)!;
  return {
    at,
    to: view.ip.destination,
    port: get16(view.payload, 2),
    hopLimit: view.ip.hopLimit,
    isResponse: (dns.flags(bytes, 0) & dns.Flag.Response) !== 0,
    id: dns.id(bytes, 0),
    questions: message.questions.map(({ name, type }) => `${name} ${type}`),
    records: message.records.map(({ name, type, class: clas, ttl, data }) => {
      return `${name} ${type} ${clas} ${ttl} ${data instanceof Uint8Array ? data.toHex() : data}`;
    }),
  };
}

const a = (data: string, ttl = 120, name = NAME): RecordFields => ({
  name,
  type: "A",
  data,
  ttl,
  class: FLUSH,
});
const OWN_A = `${NAME} 1 ${FLUSH} 120 ${OWN}`, OWN_PTR = `${REVERSE} 12 ${FLUSH} 120 ${NAME}`;

Deno.test("mdns: a name is probed for three times, 250 ms apart, with the records that are wanted (RFC 6762 8.1)", () => {
  const starts = [1, 2, 3].map((seed) => {
    const world = new World({}, seed);
    const probes = world.until(seconds(0.999)).filter(({ isResponse }) => !isResponse);
    deepEqual(probes.map(({ at }) => at - probes[0]!.at), [0, milliseconds(250), milliseconds(500)]);
    const [first] = probes;
    deepEqual([first?.to, first?.port, first?.hopLimit], [GROUP, 5_353, 255]);
    deepEqual([first?.questions, first?.records], [[`${NAME} 255`], [`${NAME} 1 1 120 ${OWN}`]]);
    ok(first!.at < milliseconds(250));
    return first!.at;
  });
  equal(new Set(starts).size, 3, "begun at random");
});

Deno.test("mdns: then it is announced, twice within a second, with the bit that flushes caches (RFC 6762 8.3, 10.2)", () => {
  const world = new World();
  const announcements = world.until(seconds(10)).filter(({ isResponse }) => isResponse);
  equal(announcements.length, 2);
  equal(announcements[1]!.at - announcements[0]!.at, seconds(1));
  deepEqual(announcements[0]?.records, [OWN_A, OWN_PTR]);
  equal(world.responder.state, "running");
  equal(world.host.deadline, NEVER);
});

Deno.test("mdns: questions for name and address are answered to all, whatever the case (RFC 6762 6, 16)", () => {
  const world = new World().run();
  const [answer] = world.ask("BOX.Local", dns.Type.A);
  deepEqual([answer?.to, answer?.port, answer?.id, answer?.records], [GROUP, 5_353, 0, [OWN_A]]);
  world.at(seconds(12));
  deepEqual(world.ask(REVERSE, dns.Type.PTR)[0]?.records, [OWN_PTR]);
  world.at(seconds(14));
  deepEqual(world.ask(NAME, dns.Type.ANY)[0]?.records, [OWN_A]);
  world.at(seconds(16));
  deepEqual(world.ask("other.local", dns.Type.A), []);
});

Deno.test("mdns: that a name has no record of a type is said, so that nobody waits (RFC 6762 6.1)", () => {
  const world = new World().run();
  const [answer] = world.ask(NAME, dns.Type.AAAA);
  deepEqual(answer?.records, [`${NAME} 47 ${FLUSH} 120 03626f78056c6f63616c00000140`]);
});

Deno.test("mdns: the same is not said to all again within a second, but soon for a probe's sake (RFC 6762 6)", () => {
  const world = new World().run();
  equal(world.ask(NAME, dns.Type.A).length, 1);
  world.at(seconds(10.3));
  equal(world.ask(NAME, dns.Type.A).length, 0);
  const authority = [{ name: NAME, type: "A", data: PEER, class: 1 }] as const;
  equal(world.ask(NAME, dns.Type.ANY, { authority }).length, 1);
  world.at(seconds(11.4));
  equal(world.ask(NAME, dns.Type.A).length, 1);
  equal(world.responder.counters.limited, 1);
});

Deno.test("mdns: that one record was just said is no reason not to say another (RFC 6762 6)", () => {
  const world = new World();
  world.host.ip.addresses.add("2001:db8::1/64");
  world.run();
  equal(world.ask(NAME, dns.Type.A).length, 1);
  deepEqual(world.ask(NAME, dns.Type.AAAA)[0]?.records, [`${NAME} 28 ${FLUSH} 120 2001:db8::1`]);
  deepEqual(world.ask(REVERSE, dns.Type.PTR)[0]?.records, [OWN_PTR]);
  const questions = [[NAME, dns.Type.A], [NAME, dns.Type.TXT]] as const;
  deepEqual(world.hear({ questions })[0]?.records.map((record) => record.split(" ")[1]), ["47"]);
  equal(world.hear({ questions }).length, 0);
  equal(world.responder.counters.limited, 1);
});

Deno.test("mdns: what the asker knows is not told, unless half of its time is over (RFC 6762 7.1)", () => {
  const world = new World().run();
  deepEqual(world.ask(NAME, dns.Type.A, { answers: [a(OWN, 60)] }), []);
  equal(world.responder.counters.known, 1);
  equal(world.ask(NAME, dns.Type.A, { answers: [a(OWN, 59)] }).length, 1);
  world.at(seconds(12));
  equal(world.ask(NAME, dns.Type.A, { answers: [a("10.0.0.77", 120)] }).length, 1);
});

Deno.test("mdns: who wants to be answered alone is (RFC 6762 5.4)", () => {
  const world = new World().run();
  const [answer] = world.hear({ questions: [[NAME, dns.Type.A, UNICAST]] });
  deepEqual([answer?.to, answer?.port, answer?.records], [PEER, 5_353, [OWN_A]]);
});

Deno.test("mdns: who is no multicast DNS gets an answer as from DNS: its number, its question, few seconds, no bit (RFC 6762 6.7)", () => {
  const world = new World().run();
  const [answer] = world.hear({ id: 7, questions: [[NAME, dns.Type.A]] }, { port: 40_000 });
  deepEqual([answer?.to, answer?.port, answer?.id], [PEER, 40_000, 7]);
  deepEqual([answer?.questions, answer?.records], [[`${NAME} 1`], [`${NAME} 1 1 10 ${OWN}`]]);
});

Deno.test("mdns: answers to single hosts are limited, so that nobody is flooded in another's name", () => {
  const world = new World().run();
  let answered = 0;
  for (let turn = 0; turn < 200; turn++) {
    answered += world.hear({ questions: [[NAME, 1]] }, { port: 9_999 }).length;
  }
  equal(answered, 20);
  equal(world.responder.counters.limited, 180);
});

Deno.test("mdns: a name that another host has becomes another one, which is probed for (RFC 6762 9)", () => {
  const world = new World();
  world.until(milliseconds(260));
  const first = world.hear({ flags: 0x8400, answers: [a(PEER)] });
  equal(world.responder.name, "box-2.local");
  const probes = [...first, ...world.until(seconds(1.5))].filter(({ isResponse }) => !isResponse);
  deepEqual(probes.map(({ questions }) => questions[0]), Array(3).fill("box-2.local 255"));
  world.until(seconds(5));
  deepEqual(world.ask("box-2.local", dns.Type.A)[0]?.records, [`box-2.local 1 ${FLUSH} 120 ${OWN}`]);
  world.at(seconds(7));
  deepEqual(world.ask(NAME, dns.Type.A), []);
});

Deno.test("mdns: a claim to a name in use is met by probing anew; who gives way is found out so (RFC 6762 9)", () => {
  const world = new World().run();
  const [probe] = world.hear({ flags: 0x8400, answers: [a(PEER)] });
  deepEqual([probe?.isResponse, probe?.questions], [false, [`${NAME} 255`]]);
  world.hear({ flags: 0x8400, answers: [a(PEER)] });
  equal(world.responder.name, "box-2.local");
});

Deno.test("mdns: our own records, goodbyes, and other names' are no conflict", () => {
  const world = new World().run();
  for (const record of [a(OWN), a(PEER, 0), a(PEER, 120, "other.local")]) {
    world.hear({ flags: 0x8400, answers: [record] });
  }
  world.hear({ flags: 0x8400, answers: [a(PEER)] }, { port: 40_000 });
  deepEqual([world.responder.state, world.responder.name], ["running", NAME]);
});

Deno.test("mdns: of two who probe at once the one with the later records goes on, the other waits a second (RFC 6762 8.2)", () => {
  const tie = (...theirs: string[]) => {
    const world = new World();
    world.until(milliseconds(260));
    const authority = theirs.map((data): RecordFields => {
      return { name: NAME, type: /^\d/.test(data) ? "A" : "TXT", data, class: 1 };
    });
    world.ask(NAME, dns.Type.ANY, { authority });
    return world.until(milliseconds(800)).length > 0;
  };
  equal(tie("10.0.0.0"), true, "ours is later");
  equal(tie("10.0.0.2"), false, "theirs is later");
  equal(tie(OWN), true, "the same: it is our own, come back");
  equal(tie("text"), false, "a record of a later type");
  equal(tie("text", OWN), false, "ours, and one more");
  equal(tie("text", "10.0.0.0"), true, "the first that differs tells");
});

Deno.test("mdns: after fifteen conflicts in a row every try waits five seconds (RFC 6762 8.1)", () => {
  const world = new World();
  world.until(milliseconds(260));
  for (let turn = 0; turn < 14; turn++) {
    world.hear({ flags: 0x8400, answers: [a(PEER, 120, world.responder.name)] });
    ok(world.host.deadline <= world.now + milliseconds(250));
  }
  world.hear({ flags: 0x8400, answers: [a(PEER, 120, world.responder.name)] });
  equal(world.host.deadline, world.now + seconds(5));
});

Deno.test("mdns: a new address is announced, and the one that is gone is not told any more (RFC 6762 8.4)", () => {
  const world = new World().run();
  world.host.ip.addresses.add("10.0.0.9/24");
  const [announcement] = world.until(seconds(10.5));
  ok(announcement?.records.includes(`${NAME} 1 ${FLUSH} 120 10.0.0.9`));
});

Deno.test("mdns: a long name with as many addresses as are told is said in several messages (RFC 6762 17)", () => {
  const label = "a".repeat(63), v6 = Array.from({ length: 7 }, (_, index) => `2001:db8::${index + 1}`);
  const world = new World({ hostname: label });
  for (const address of v6) world.host.ip.addresses.add(`${address}/64`);
  const responses = world.until(seconds(10)).filter(({ isResponse }) => isResponse);
  const [first] = responses;
  const records = responses.filter(({ at }) => at === first?.at).flatMap((response) => response.records);
  equal(records.length, 2 * 8);
  for (const address of v6) ok(records.includes(`${label}.local 28 ${FLUSH} 120 ${address}`), address);
  equal(world.responder.counters.notSent, 0);
  const names = records.flatMap((record) => record.includes(".arpa 12 ") ? [record.split(" ")[0]!] : []);
  const questions = [label + ".local", ...names].map((name) => [name, dns.Type.ANY] as const);
  const answers = world.hear({ id: 7, questions }, { port: 40_000 });
  equal(answers.flatMap((answer) => answer.records).length, 2 * 8, "to one host, too");
});

Deno.test("mdns: on another cable the name is probed for and announced anew, and becomes another one where somebody has it (RFC 6762 8)", () => {
  const world = new World().run();
  world.responder.confirm();
  const said = world.until(seconds(20));
  deepEqual(said.map(({ isResponse }) => isResponse), [false, false, false, true, true]);
  ok(
    said[0]!.at > seconds(10) && said[0]!.at < seconds(10.25),
    "hosts that are switched on together do not probe together",
  );
  deepEqual([world.responder.state, world.responder.name], ["running", NAME]);
  world.responder.confirm();
  world.until(seconds(20.3));
  world.hear({ flags: 0x8400, answers: [a(PEER)] });
  equal(world.responder.name, "box-2.local");
  world.responder.stop();
  world.responder.confirm();
  world.until(seconds(30));
  equal(world.responder.state, "stopped");
});

Deno.test("mdns: leaving, it says goodbye, and then nothing more (RFC 6762 10.1)", () => {
  const world = new World().run();
  world.responder.stop();
  const [goodbye] = world.until(seconds(11));
  deepEqual(goodbye?.records, [`${NAME} 1 ${FLUSH} 0 ${OWN}`, `${REVERSE} 12 ${FLUSH} 0 ${NAME}`]);
  deepEqual([world.responder.state, world.ask(NAME, dns.Type.A)], ["stopped", []]);
  const early = new World();
  early.responder.stop();
  deepEqual([early.until(seconds(1)), early.responder.state], [[], "stopped"]);
});

Deno.test("mdns: what is from beyond the link, malformed or another operation is dropped and counted (RFC 6762 11, 18.3)", () => {
  const world = new World().run();
  world.hear({ questions: [[NAME, 1]] }, { source: "192.0.2.1" });
  world.hear({ flags: 0x2800, questions: [[NAME, 1]] });
  world.host.deliver(datagram(Uint8Array.of(0, 0, 0), PEER, 5_353, GROUP, 5_353, { destination: MAC }));
  const { sent: _, ...others } = counted(world.responder.counters);
  deepEqual(others, { offLink: 1, malformed: 2 });
  notEqual(world.responder.counters.sent, 0);
});

Deno.test("mdns: a host without an address has no name yet, and probes when it has one", () => {
  const world = new World();
  for (const { address } of [...world.host.ip.addresses]) world.host.ip.addresses.remove(address);
  deepEqual(world.until(seconds(5)), []);
  world.host.ip.addresses.add(`${OWN}/24`);
  equal(world.until(seconds(8)).filter(({ isResponse }) => !isResponse).length, 3);
});

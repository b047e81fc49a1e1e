/**
 * The stub resolver by RFC 1034, 1035, 1123 6.1, 2308, 5452 and 6891, on virtual time.
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { NEVER, seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Flag, Type } from "../../stack/wire/dns.ts";
import type { MessageFields, RecordFields } from "../support/dns.ts";
import { datagram } from "../support/dhcp.ts";
import { concat, ethernet, icmp, ipv4, OWN, PEER } from "../support/frames.ts";
import { counted } from "../support/host.ts";
import { ResolverWorld } from "../support/resolver.ts";

const NAME = "www.example.com";
const a = (data: string, name = NAME, ttl = 60): RecordFields => ({ name, type: "A", data, ttl });
const alias = (name: string, data: string, ttl = 60): RecordFields => ({ name, type: "CNAME", data, ttl });
const soa = (ttl: number, minimum: number): RecordFields => ({
  name: "example.com",
  type: "SOA",
  data: `ns.example.com admin.example.com 1 2 3 4 ${minimum}`,
  ttl,
});
const RESPONSE = 0x8180;
const two = [Address.parse(PEER), Address.parse("10.0.0.3")];

Deno.test("dns resolver: a query wants recursion and tells by EDNS0 what size it takes (RFC 1035 4.1.1, RFC 6891 6.2.3)", () => {
  const world = new ResolverWorld();
  world.ask("WWW.Example.COM.");
  const query = world.query();
  deepEqual([query.to, query.name, query.type, query.flags], [PEER, NAME, Type.A, Flag.RecursionDesired]);
  equal(query.edns, 1_232);
  world.respond(query, { answers: [a("192.0.2.1"), a("192.0.2.2")] });
  equal(world.outcome, "found 192.0.2.1 192.0.2.2");
  equal(String(world.answer.server), PEER);
  equal(world.host.deadline, NEVER);
});

Deno.test("dns resolver: each query has a port and a number of chance (RFC 5452 9.2)", () => {
  const world = new ResolverWorld({ cache: 0 });
  const ports = new Set<number>(), ids = new Set<number>();
  for (let turn = 0; turn < 200; turn++) {
    world.ask(NAME);
    const query = world.query();
    ok(query.port >= 1_024);
    ports.add(query.port);
    ids.add(query.id);
    world.respond(query, { answers: [a("192.0.2.1")] });
  }
  ok(ports.size > 190 && ids.size > 190, `${ports.size} ports, ${ids.size} numbers`);
});

Deno.test("dns resolver: what does not match the query in every part is dropped and counted, and the answer is waited for (RFC 5452 9.1)", () => {
  const forged: [reason: string, fields: MessageFields, from?: { source?: string; port?: number }][] = [
    ["stray", { id: 0 }],
    ["stray", { flags: 0x0100 }],
    ["stray", { flags: RESPONSE | 0x2800 }],
    ["stray", { questions: [["www.example.org", Type.A]] }],
    ["stray", { questions: [[NAME, Type.AAAA]] }],
    ["stray", { questions: [[NAME, Type.A, 3]] }],
    ["stray", { questions: [] }],
    ["stray", { questions: [[NAME, Type.A], [NAME, Type.A]] }],
    ["", {}, { source: "10.0.0.3" }],
    ["", {}, { port: 5_353 }],
  ];
  for (const [reason, fields, from] of forged) {
    const world = new ResolverWorld();
    world.ask(NAME);
    const query = world.query();
    world.respond(query, { answers: [a("6.6.6.6")], ...fields }, from);
    deepEqual(world.answers, [], JSON.stringify(fields));
    deepEqual(
      counted(world.resolver.counters),
      { sent: 1, ...(reason && { [reason]: 1 }) },
      JSON.stringify(fields),
    );
    world.respond(query, { answers: [a("192.0.2.1")] });
    equal(world.outcome, "found 192.0.2.1");
  }
});

Deno.test("dns resolver: with mixed case the letters are left to chance, and another case is no answer (dns0x20)", () => {
  const world = new ResolverWorld({ mixCase: true });
  world.ask("abcdefghijklmnopqrstuvwxyz");
  const query = world.query();
  const letters = new TextDecoder().decode(query.bytes.subarray(13, 39));
  ok(/[a-z]/.test(letters) && /[A-Z]/.test(letters), letters);
  equal(letters.toLowerCase(), "abcdefghijklmnopqrstuvwxyz");
  world.respond(query, { answers: [] });
  deepEqual([world.answers.length, world.resolver.counters.stray], [0, 1]);
  const copied = query.bytes.slice(0, 44);
  copied[2] = 0x81;
  copied[11] = 0;
  copied[3] = 0x83;
  world.deliver(copied, PEER, 53, query.port);
  equal(world.outcome, "no-name");
});

Deno.test("dns resolver: unanswered, each server is asked in turn, with a second, then two, then four to answer", () => {
  const world = new ResolverWorld({ servers: two });
  world.ask(NAME);
  const asked: [number, string][] = [];
  let query = world.query();
  const first = query;
  for (let turn = 0; turn < 6; turn++) {
    asked.push([world.now / 1e6, query.to]);
    if (turn < 5) query = world.query();
  }
  deepEqual(asked, [[0, PEER], [1, "10.0.0.3"], [2, PEER], [4, "10.0.0.3"], [6, PEER], [10, "10.0.0.3"]]);
  notEqual(`${query.id} ${query.port}`, `${first.id} ${first.port}`);
  deepEqual(world.exhaust(), []);
  deepEqual([world.outcome, world.now], ["timeout", seconds(14)]);
  equal(world.resolver.counters.timeouts, 6);
});

Deno.test("dns resolver: a late answer to a question that was asked again elsewhere is none", () => {
  const world = new ResolverWorld({ servers: two });
  world.ask(NAME);
  const late = world.query();
  world.query();
  world.respond(late, { answers: [a("6.6.6.6")] });
  deepEqual(world.answers, []);
});

Deno.test("dns resolver: a server that fails, refuses, or only refers to others is left at once for the next", () => {
  for (const fields of [{ flags: RESPONSE | 2 }, { flags: RESPONSE | 5 }, { flags: 0x8100 }]) {
    const world = new ResolverWorld({ servers: two });
    world.ask(NAME);
    world.respond(world.query(), fields);
    const second = world.query();
    deepEqual([second.to, world.now], ["10.0.0.3", 0]);
    world.respond(second, { answers: [a("192.0.2.1")] });
    equal(world.outcome, "found 192.0.2.1");
    equal(world.resolver.counters.useless, 1);
  }
});

Deno.test("dns resolver: when every server fails, so does the question", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  for (let turn = 0; turn < 3; turn++) world.respond(world.query(), { flags: RESPONSE | 2 });
  world.exhaust();
  equal(world.outcome, "failed");
});

Deno.test("dns resolver: a server that does not know EDNS0 is asked again without (RFC 6891 7)", () => {
  for (const code of [1, 4]) {
    const world = new ResolverWorld();
    world.ask(NAME);
    world.respond(world.query(), { flags: RESPONSE | code });
    const plain = world.query();
    deepEqual([plain.edns, world.now], [undefined, 0]);
    world.respond(plain, { answers: [a("192.0.2.1")] });
    equal(world.outcome, "found 192.0.2.1");
  }
});

Deno.test("dns resolver: such a server need not repeat the question that it could not read, but number and port (RFC 6891 7)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  const query = world.query();
  for (const fields of [{ id: query.id ^ 1, flags: RESPONSE | 1 }, { flags: RESPONSE }, { flags: 0x0101 }]) {
    world.respond(query, { questions: [], ...fields });
  }
  deepEqual(counted(world.resolver.counters), { sent: 1, stray: 3 });
  world.respond(query, { flags: RESPONSE | 1, questions: [] });
  const plain = world.query();
  deepEqual([plain.edns, plain.to, world.now], [undefined, PEER, 0]);
  world.respond(plain, { answers: [a("192.0.2.1")] });
  equal(world.outcome, "found 192.0.2.1");
});

Deno.test("dns resolver: a port that nobody listens on is told by ICMP, and the next server is asked (RFC 1122 4.1.3.3)", () => {
  const world = new ResolverWorld({ servers: two });
  world.ask(NAME);
  const query = world.query();
  const about = datagram(query.bytes, OWN, query.port, PEER, 53).subarray(14, 14 + 28);
  world.host.deliver(ethernet(ipv4(icmp(concat(about), { type: 3, code: 3, identifier: 0, sequence: 0 }))));
  deepEqual([world.query().to, world.now], ["10.0.0.3", 0]);
});

Deno.test("dns resolver: aliases are followed within the response, whatever their order (RFC 1034 3.6.2)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  world.respond(world.query(), {
    answers: [
      a("192.0.2.1", "c.example.net"),
      alias("b.example.net", "C.example.net"),
      alias(NAME, "b.example.net", 7),
    ],
  });
  deepEqual([world.outcome, world.answer.name, world.answer.ttl], ["found 192.0.2.1", "c.example.net", 7]);
});

Deno.test("dns resolver: an alias that leads out of the response is asked for, a limited number of times (RFC 1034 5.3.3)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  world.respond(world.query(), { answers: [alias(NAME, "other.example.net", 5)] });
  const second = world.query();
  equal(second.name, "other.example.net");
  world.respond(second, { answers: [a("192.0.2.1", "other.example.net")] });
  deepEqual([world.outcome, world.answer.question, world.answer.ttl], ["found 192.0.2.1", NAME, 5]);
  const endless = new ResolverWorld();
  endless.ask("0.example.net");
  for (let turn = 0; turn < 9; turn++) {
    endless.respond(endless.query(), { answers: [alias(`${turn}.example.net`, `${turn + 1}.example.net`)] });
  }
  equal(endless.outcome, "failed");
});

Deno.test("dns resolver: aliases in a circle are a failure of the server", () => {
  const world = new ResolverWorld({ servers: two });
  world.ask(NAME);
  world.respond(world.query(), { answers: [alias(NAME, "b.example"), alias("b.example", NAME)] });
  equal(world.query().to, "10.0.0.3");
});

Deno.test("dns resolver: records of other names, types and classes are no part of the answer", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  world.respond(world.query(), {
    answers: [a("6.6.6.6", "evil.example"), { ...a("6.6.6.7"), class: 3 }, a("192.0.2.1"), {
      name: NAME,
      type: "TXT",
      data: "text",
    }],
    additional: [a("6.6.6.8")],
  });
  equal(world.outcome, "found 192.0.2.1");
  world.ask("evil.example");
  equal(world.query().name, "evil.example", "nothing is remembered that was not asked for");
});

Deno.test("dns resolver: an answer is remembered for as long as its shortest time to live (RFC 1035 7.4)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  world.respond(world.query(), { answers: [a("192.0.2.1", NAME, 300), a("192.0.2.2", NAME, 30)] });
  world.at(seconds(10));
  world.ask(NAME);
  deepEqual([world.answers.length, world.answers[1]?.ttl, world.answers[1]?.server], [2, 20, undefined]);
  world.at(seconds(30));
  world.ask(NAME);
  equal(world.answers.length, 2);
  equal(world.query().name, NAME);
});

Deno.test("dns resolver: a time to live of 0 is for this question only (RFC 1035 3.2.1)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  world.respond(world.query(), { answers: [a("192.0.2.1", NAME, 0)] });
  world.ask(NAME);
  equal(world.query().name, NAME);
});

Deno.test("dns resolver: that there is no such name is remembered for all types, by the zone's SOA (RFC 2308 5)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  world.respond(world.query(), { flags: RESPONSE | 3, authority: [soa(600, 100)] });
  world.at(seconds(99));
  world.ask(NAME, Type.AAAA);
  deepEqual(world.answers.map(({ status, ttl }) => [status, ttl]), [["no-name", 100], ["no-name", 1]]);
  world.at(seconds(100));
  world.ask(NAME);
  equal(world.query().name, NAME);
});

Deno.test("dns resolver: that an alias leads to no name is remembered of where it leads: the alias itself is there (RFC 2308 2.1, 5)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  const answers = [alias(NAME, "gone.example.com")];
  world.respond(world.query(), { flags: RESPONSE | 3, answers, authority: [soa(600, 300)] });
  equal(world.outcome, "no-name");
  world.ask(NAME);
  deepEqual([world.outcome, world.resolver.counters.remembered], ["no-name", 1]);
  world.ask(NAME, Type.CNAME);
  world.respond(world.query(), { answers });
  equal(world.outcome, "found gone.example.com");
});

Deno.test("dns resolver: that there is no such record is remembered for that type only (RFC 2308 2.2)", () => {
  const world = new ResolverWorld();
  world.ask(NAME, Type.AAAA);
  world.respond(world.query(), { authority: [soa(50, 100)] });
  world.ask(NAME, Type.AAAA);
  deepEqual(world.answers.map(({ status, ttl }) => [status, ttl]), [["no-data", 50], ["no-data", 50]]);
  world.ask(NAME, Type.A);
  equal(world.query().type, Type.A);
});

Deno.test("dns resolver: an absence without an SOA is not remembered, and none for longer than three hours (RFC 2308 5)", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  world.respond(world.query(), { flags: RESPONSE | 3 });
  world.ask(NAME);
  world.respond(world.query(), { flags: RESPONSE | 3, authority: [soa(1_000_000, 1_000_000)] });
  deepEqual(world.answers.map(({ status, ttl }) => [status, ttl]), [["no-name", 0], ["no-name", 10_800]]);
});

Deno.test("dns resolver: what is remembered is bounded, and what was not used for longest goes first", () => {
  const world = new ResolverWorld({ cache: 3 });
  const learn = (name: string) => {
    world.ask(name);
    world.respond(world.query(), { answers: [a("192.0.2.1", name)] });
  };
  for (const name of ["a.example", "b.example", "c.example"]) learn(name);
  world.ask("a.example");
  learn("d.example");
  equal(world.resolver.cache.size, 3);
  world.ask("a.example");
  deepEqual(world.at(world.now), [], "used not long ago");
  world.ask("b.example");
  equal(world.query().name, "b.example");
});

Deno.test("dns resolver: one question asked many times at once is one query", () => {
  const world = new ResolverWorld();
  for (let turn = 0; turn < 5; turn++) world.ask(NAME);
  world.respond(world.query(), { answers: [a("192.0.2.1")] });
  deepEqual([world.answers.length, world.resolver.counters.sent], [5, 1]);
});

Deno.test("dns resolver: open questions are bounded; what is given up frees its place and its port", () => {
  const world = new ResolverWorld();
  const given = Array.from({ length: 256 }, (_, index) => {
    return world.resolver.query(`n${index}.example`, Type.A, 0, (answer) => void world.answers.push(answer));
  });
  world.ask("one.more.example");
  equal(world.outcome, "failed");
  for (const pending of given) pending.cancel();
  deepEqual([world.resolver.size, world.answers.length, world.host.deadline], [0, 1, NEVER]);
});

Deno.test("dns resolver: what is given up while its alias is asked for frees its place and its port, and leaves those of others", () => {
  const world = new ResolverWorld();
  const ask = () => world.resolver.query(NAME, Type.A, 0, (answer) => void world.answers.push(answer));
  const first = ask(), second = ask();
  world.respond(world.query(), { answers: [alias(NAME, "cdn.example.net")] });
  const query = world.query();
  first.cancel();
  equal(world.resolver.size, 1);
  world.exhaust();
  equal(world.outcome, "timeout");
  equal(world.answers.length, 1, "nobody is told who has given up");
  second.cancel();

  world.answers.length = 0;
  const alone = ask();
  world.respond(world.query(), { answers: [alias(NAME, "cdn.example.net")] });
  const last = world.query();
  alone.cancel();
  world.respond(last, { answers: [a("192.0.2.1", "cdn.example.net")] });
  world.respond(query, { answers: [a("192.0.2.1", "cdn.example.net")] });
  deepEqual([world.resolver.size, world.answers.length], [0, 0]);
  equal(world.resolver.counters.received, 2, "the ports are closed");
});

Deno.test("dns resolver: who gives up what was answered already takes nothing from who asks the same again", () => {
  const world = new ResolverWorld({ cache: 0 });
  const ask = () => world.resolver.query(NAME, Type.A, 0, (answer) => void world.answers.push(answer));
  const first = ask();
  world.respond(world.query(), { answers: [a("192.0.2.1")] });
  ask();
  first.cancel();
  equal(world.resolver.size, 1);
  world.exhaust();
  equal(world.outcome, "timeout");
});

Deno.test("dns resolver: without a server there is no question, and no name is asked for that is none", () => {
  const world = new ResolverWorld({ servers: [] });
  world.ask(NAME);
  equal(world.outcome, "no-server");
  world.ask("a..b");
  equal(world.outcome, "no-name");
  deepEqual(world.at(0), []);
});

Deno.test("dns resolver: localhost is the loopback address, and names of special use leave no host (RFC 6761 6.3, 6.4, RFC 7686)", () => {
  const world = new ResolverWorld();
  world.ask("LocalHost");
  equal(world.outcome, "found 127.0.0.1");
  world.ask("a.localhost.", Type.AAAA);
  equal(world.outcome, "found ::1");
  for (const name of ["x.invalid", "x.onion"]) {
    world.ask(name);
    equal(world.outcome, "no-name");
  }
  deepEqual(world.at(0), []);
});

Deno.test("dns resolver: servers that are learnt come behind the user's; another list forgets what another network said", () => {
  const world = new ResolverWorld({ servers: [Address.parse("10.0.0.3")] });
  world.resolver.learn("dhcp", [Address.parse(PEER), Address.parse("10.0.0.3")], ["lan.example"]);
  deepEqual(world.resolver.search, ["lan.example"]);
  deepEqual(world.resolver.servers.map(String), ["10.0.0.3", PEER]);
  world.ask(NAME);
  world.respond(world.query(), { answers: [a("192.0.2.1")] });
  world.resolver.learn("dhcp", [Address.parse(PEER)]);
  world.ask(NAME);
  equal(world.answers.length, 2, "the same servers: it is still known");
  world.resolver.learn("dhcp", []);
  deepEqual(world.resolver.servers.map(String), ["10.0.0.3"]);
  world.ask(NAME);
  equal(world.query().to, "10.0.0.3");
});

Deno.test("dns resolver: short names are tried with each domain of the list first, names with dots as they are first (RFC 1123 6.1.4.3)", () => {
  const tried = (name: string): string[] => {
    const world = new ResolverWorld({ search: ["lan.example", "example"] });
    world.resolver.lookup(name, Type.A, 0, (answer) => void world.answers.push(answer));
    const names: string[] = [];
    while (world.answers.length === 0) {
      const query = world.query();
      names.push(query.name);
      world.respond(query, { flags: RESPONSE | 3 });
    }
    equal(world.outcome, "no-name");
    return names;
  };
  deepEqual(tried("box"), ["box.lan.example", "box.example", "box"]);
  deepEqual(tried("box.sub"), ["box.sub", "box.sub.lan.example", "box.sub.example"]);
  deepEqual(tried("box."), ["box"]);
});

Deno.test("dns resolver: of the names tried the first with such records is taken; given up, none is tried any more", () => {
  const world = new ResolverWorld({ search: ["lan.example"] });
  const pending = world.resolver.lookup("box", Type.A, 0, (answer) => void world.answers.push(answer));
  world.respond(world.query(), { answers: [a("192.0.2.1", "box.lan.example")] });
  equal(world.outcome, "found 192.0.2.1");
  pending.cancel();
  const other = world.resolver.lookup("other", Type.A, 0, (answer) => void world.answers.push(answer));
  world.respond(world.query(), { flags: RESPONSE | 3 });
  other.cancel();
  deepEqual([world.exhaust(), world.answers.length], [[], 1]);
});

Deno.test("dns resolver: a domain whose servers fail does not keep the names behind it from being tried", () => {
  const FAILED = RESPONSE | 2, ABSENT = RESPONSE | 3;
  const outcome = (...flags: number[]) => {
    const world = new ResolverWorld({ search: ["lan.example", "example"] });
    world.resolver.lookup("box", Type.A, 0, (answer) => void world.answers.push(answer));
    const names: string[] = [];
    while (world.answers.length === 0) {
      const query = world.query();
      if (names.at(-1) !== query.name) names.push(query.name);
      const said = flags[names.length - 1]!;
      world.respond(query, said === 0 ? { answers: [a("192.0.2.1", query.name)] } : { flags: said });
    }
    return `${names.length}: ${world.outcome}`;
  };
  equal(outcome(FAILED, 0), "2: found 192.0.2.1");
  equal(outcome(ABSENT, FAILED, 0), "3: found 192.0.2.1");
  equal(outcome(FAILED, ABSENT, ABSENT), "3: failed", "who knows whether there is the name");
  equal(outcome(FAILED, RESPONSE, ABSENT), "3: no-data", "there is the name");
});

Deno.test("dns resolver: stopped, no other name is tried", () => {
  const world = new ResolverWorld({ search: ["lan.example"] });
  world.resolver.lookup("box", Type.A, 0, (answer) => void world.answers.push(answer));
  world.query();
  world.resolver.stop();
  deepEqual([world.outcome, world.resolver.size, world.host.deadline], ["failed", 0, NEVER]);
});

Deno.test("dns resolver: responses cut short anywhere, or whose counts lie, are dropped and counted", () => {
  const world = new ResolverWorld();
  world.ask(NAME);
  const query = world.query();
  const question = query.bytes.slice(12, 12 + 17 + 4);
  const header = (answers: number) =>
    Uint8Array.of(query.id >> 8, query.id, 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0);
  world.deliver(concat(header(1), question), PEER, 53, query.port);
  world.deliver(
    concat(header(9), question, Uint8Array.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 200)),
    PEER,
    53,
    query.port,
  );
  deepEqual(counted(world.resolver.counters), { sent: 1, malformed: 2 });
  for (let length = 0; length < 12 + question.length; length++) {
    world.deliver(concat(header(0), question).subarray(0, length), PEER, 53, query.port);
  }
  equal(world.resolver.counters.stray, 12 + question.length);
  deepEqual(world.answers, []);
});

Deno.test("dns resolver: a query waits for its next hop, and goes to the next server if that does not answer", () => {
  const world = new ResolverWorld({ servers: [Address.parse("10.0.0.77"), Address.parse(PEER)] });
  world.ask(NAME);
  equal(world.query().to, PEER);
  ok(world.now >= seconds(0.9) && world.now <= seconds(1.1), `${world.now}`);
  const unroutable = new ResolverWorld({ servers: [Address.parse("192.0.2.77"), Address.parse(PEER)] });
  unroutable.ask(NAME);
  deepEqual([unroutable.query().to, unroutable.now], [PEER, 0]);
});

Deno.test("dns resolver: whom a question names as its servers are asked, at their port, and nothing of it is remembered", () => {
  const world = new ResolverWorld();
  world.ask(NAME, Type.A, { servers: [Address.parse("10.0.0.3")] });
  const query = world.query();
  equal(query.to, "10.0.0.3");
  world.respond(query, { answers: [a("192.0.2.1")] });
  equal(world.outcome, "found 192.0.2.1");
  world.ask(NAME);
  equal(world.query().to, PEER);
});

Deno.test("dns resolver: names of the link are asked for on the link, and whoever is there may answer (RFC 6762 3, 5.1)", () => {
  const world = new ResolverWorld({ servers: [] });
  world.ask("Box.local");
  const query = world.query();
  deepEqual([query.to, query.name], ["224.0.0.251", "box.local"]);
  const answers = [{ ...a("10.0.0.7", "box.local", 10) }];
  world.respond(query, { answers }, { source: "192.0.2.7", port: 5_353 });
  world.respond(query, { answers }, { source: PEER, port: 53 });
  deepEqual(
    [world.answers.length, world.resolver.counters.stray],
    [0, 2],
    "not from the link, not from the port",
  );
  world.respond(query, { answers }, { source: PEER, port: 5_353 });
  equal(world.outcome, "found 10.0.0.7");
  world.ask("none.local");
  equal(world.exhaust().length, 3, "asked three times");
  equal(world.outcome, "timeout");
});

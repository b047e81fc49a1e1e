/**
 * DNS messages: whatever they are, reading them ends, tells only what is in them, and names can be written again.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { protocols } from "../../../stack/ip/protocols.ts";
import { MdnsResponder } from "../../../stack/mdns/responder.ts";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";
import * as dns from "../../../stack/wire/dns.ts";
import { NAME_MAX, nameBytes, readNames } from "../../../stack/wire/dns-name.ts";
import { readMessage, RECORDS_MAX } from "../../../stack/wire/dns-record.ts";
import { WireError } from "../../../stack/wire/error.ts";
import { datagram } from "../../support/dhcp.ts";
import { dnsMessage, type MessageFields } from "../../support/dns.ts";
import { PEER } from "../../support/frames.ts";
import { host } from "../../support/host.ts";
import { fc } from "../../support/property.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

/** What lies around the bytes, twice: whoever reads it answers two things. */
const AROUND = [0x00, 0xff] as const;

function run(bytes: Uint8Array): void {
  const [one, two] = AROUND.map((value) => {
    const buffer = new Uint8Array(bytes.length + 64).fill(value);
    buffer.set(bytes, 32);
    const end = 32 + bytes.length;
    return {
      fine: dns.check(buffer, 32, end),
      message: readMessage(buffer, 32, end),
      names: readNames(buffer, 32, end, 16),
    };
  });
  deepEqual(one, two, "what lies around a message is read");
  hear(bytes);
  const { fine, message, names } = one!;
  ok(names.length <= 16);
  if (message === undefined) return;
  ok(message.records.length <= RECORDS_MAX && message.questions.length <= RECORDS_MAX);
  ok(fine !== WireError.Truncated);
  for (const { name } of [...message.questions, ...message.records]) isName(name);
  for (const { data } of message.records) if (typeof data === "string") isName(data);
}

/** A responder in each of its states takes it and goes on, and says a few words of its own at most. */
function hear(bytes: Uint8Array): void {
  if (bytes.length > 1_400) return;
  for (const time of [milliseconds(300), seconds(1), seconds(10)]) {
    const udp = new Udp();
    let responder: MdnsResponder | undefined;
    const made = host({
      guard: false,
      receive: () => protocols({ udp: udp.recv() }),
      send: ({ ip }) => {
        responder = new MdnsResponder({ ip, udp, random: () => 0, hostname: "a" });
        return udp.send(responder);
      },
    });
    for (let now = 0; now <= time; now += milliseconds(250)) made.at(now).transmit();
    const answers = made.deliver(
      datagram(bytes, PEER, 5_353, "224.0.0.251", 5_353, { destination: "01:00:5e:00:00:fb" }),
    );
    ok(answers.length + made.transmit().length <= 1, "one message for one");
    ok(responder !== undefined && responder.name.length <= 63 + ".local".length);
  }
}

function isName(name: string): void {
  const wire = nameBytes(name);
  ok(wire !== undefined && wire.length <= NAME_MAX, `${name} cannot be written`);
}

const name = fc.constantFrom(
  "",
  "a",
  "a.local",
  "1.0.0.10.in-addr.arpa",
  "www.example.com",
  "_http._tcp.local",
  "x".repeat(63),
  "\\000.\\255",
  "a.b.c.d.e.f.g",
);
const type = fc.constantFrom(...Object.keys(dns.Type) as (keyof typeof dns.Type)[]);
const record = fc.record({
  name,
  type,
  data: fc.uint8Array({ maxLength: 40 }),
  ttl: fc.constantFrom(0, 1, 60, 0x7fffffff, -1),
  class: fc.constantFrom(1, 255, 0x8001, 1_232),
});
const fields: fc.Arbitrary<MessageFields> = fc.record({
  id: fc.nat(0xffff),
  flags: fc.constantFrom(0x8180, 0x0100, 0x8380, 0x8583, 0x2800),
  questions: fc.array(fc.tuple(name, fc.constantFrom(1, 28, 255)), { maxLength: 2 }),
  answers: fc.array(record, { maxLength: 4 }),
  authority: fc.array(record, { maxLength: 2 }),
  additional: fc.array(record, { maxLength: 2 }),
});
const pointer = fc.tuple(fc.nat(0x3fff), fc.nat(1_000));

/** Changes of bytes, pointers that lead anywhere, and an end anywhere. */
const mutated = fc.tuple(
  fields,
  fc.array(fc.tuple(fc.nat(1_000), fc.nat(255)), { maxLength: 4 }),
  fc.array(pointer, { maxLength: 4 }),
  fc.option(fc.nat(400)),
).map(([message, changes, pointers, end]) => {
  const bytes = dnsMessage(message);
  for (const [at, value] of changes) bytes[at % bytes.length] = value;
  for (const [to, at] of pointers) {
    const place = at % bytes.length;
    bytes[place] = 0xc0 | (to >> 8);
    bytes[place + 1] = (to & 0xff) % bytes.length;
  }
  return end === null ? bytes : bytes.subarray(0, end);
});

/** DNS messages. */
export const dnsMessages = target({
  name: "dns",
  runs: 1_000,
  codec: HEX,
  input: fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })),
  run,
});

/**
 * Drill scripts: what cannot be read is refused with a place in the script.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { DrillSyntaxError } from "../../conformance/drill/error.ts";
import { parseScript } from "../../conformance/drill/parser.ts";
import { fc } from "../../support/property.ts";
import { TEXT } from "../codec.ts";
import { target } from "../target.ts";

function run(source: string): void {
  try {
    const { events, options, file } = parseScript(source, "fuzz.pkt");
    ok(file === "fuzz.pkt" && events.length + options.length <= source.length);
    for (const { time } of events) {
      if (time.kind !== "any") {
        ok(Number.isSafeInteger(time.from) && time.from >= 0, `a time of ${time.from}`);
      }
    }
  } catch (error) {
    ok(error instanceof DrillSyntaxError, `${error instanceof Error ? error.stack : error}`);
    const lines = source.split("\n");
    const { line, column } = error.at;
    ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}: ${error.message}`);
    ok(column >= 1 && column <= lines[line - 1]!.length + 1, `column ${column}: ${error.message}`);
    ok(error.message.startsWith(`fuzz.pkt:${line}:${column}: `), error.message);
  }
}

/** Lines of the language, one of each kind. */
const LINES = [
  "--tolerance_usecs=10000",
  "--ip_version=ipv4 --local_ip=10.0.0.1",
  "`ip route`",
  "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
  "+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
  "+.1 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>",
  "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 6>",
  "+.1~+.2 > P. 1:1001(1000) ack 1",
  "* > . 1:1(0) ack 1 <nop,nop,sack 1001:2001,TS val 100 ecr 200>",
  "+0 < [ect0] udp (1000)",
  "+0 < 10.0.0.2:53 > 10.0.0.1:5353 udp (9)",
  "+0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]",
  "+0 < icmp echo_request id 1 seq 2",
  "+0 > [len 576] icmp unreachable port_unreachable [udp (9)]",
  "0...1.5 read(3, ..., 1000) = 1000",
  '+0 write(3, "abc\\x41"..., 3) = -1 EAGAIN (Resource temporarily unavailable)',
  "+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1",
  '+0 sendto(3, ..., 9, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, ...) = 9',
  '+0 connect(3, {sa_family=AF_INET6, sin6_port=htons(8080), inet_pton(AF_INET6, "::1")}, ...) = 0',
  "+0 sendmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 5}], msg_flags=0}, 0) = 5",
  "+0 < ipv4 1.1.1.1 > 2.2.2.2: gre: S 0:0(0) win 9",
  "+0 < mpls (label 0, tc 0, [S], ttl 0): . 1:1(0) win 9",
  "%{ assert tcpi_state == 1 }%",
  "// a comment",
  "/* a longer\n one */",
] as const;

const token = fc.constantFrom(
  ..."()[]{}<>|=,:;.+-*~%`\"'\\#/",
  "...",
  "0x",
  "0xff",
  "1e9",
  "-1",
  "99999999999999999999",
  "1.2.3.4",
  "::1",
  "\n",
  " ",
  "%{",
  "}%",
  "/*",
  "*/",
  "--",
  "S.",
  "win",
  "ack",
  "udp",
  "icmp",
  "sack",
  "gre:",
  "inet_addr(",
  "htons(",
  "{sa_family=",
  "\u0000",
  "\ud800",
);

const line = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LINES) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(...LINES), fc.nat(80), fc.nat(6), fc.array(token, { maxLength: 3 }))
      .map(
        ([line, at, count, tokens]) => line.slice(0, at) + tokens.join("") + line.slice(at + count),
      ),
  },
  { weight: 1, arbitrary: fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join("")) },
);

const deep = fc.tuple(fc.constantFrom("[", "{", "f(", "a=", "("), fc.constantFrom(3, 64, 65, 3_000)).map(
  ([mark, count]) => `0 f(${mark.repeat(count)}`,
);

/** Scripts of the drill language. */
export const drill = target({
  name: "drill",
  runs: 5_000,
  codec: TEXT,
  input: fc.oneof(
    { weight: 8, arbitrary: fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\n")) },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    { weight: 1, arbitrary: deep },
  ),
  run,
});

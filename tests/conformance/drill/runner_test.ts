import assert from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { get32 } from "../../../stack/wire/bytes.ts";
import { type Config, configure } from "./config.ts";
import { DrillFailure, DrillUnsupported } from "./failure.ts";
import { FakeHost, fromStack, type Plan } from "./fake-host.ts";
import { blocked, done, doneWith, failed } from "./host.ts";
import { parseScript } from "./parser.ts";
import { streamBytes } from "./pattern.ts";
import { type Report, type RunOptions, runScript } from "./runner.ts";

const CONFIG: Config = configure([], "test");

/** What the stack sends, each at its time in milliseconds. */
function packets(...lines: readonly (readonly [number, string])[]): Plan {
  return { packets: lines.map(([at, line]) => ({ at: milliseconds(at), bytes: fromStack(line, CONFIG) })) };
}

let host: FakeHost;

function run(source: string, plan: Plan = {}, options: RunOptions = {}): Report {
  return runScript(parseScript(source, "test.pkt"), (config) => host = new FakeHost(config, plan), options);
}

/** The message of the failure that the script must end in. */
function failure(source: string, plan: Plan = {}): string {
  try {
    run(source, plan);
  } catch (error) {
    assert.ok(error instanceof DrillFailure, `${error}`);
    return error.message;
  }
  assert.fail("the drill passed");
}

const SERVER = `
 0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 1000 <mss 1000,sackOK,TS val 100 ecr 0,nop,wscale 7>
+0  > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 500 ecr 100,nop,wscale 8>
+.1 < . 1:1(0) ack 1 win 257 <nop,nop,TS val 200 ecr 500>
+0  accept(3, ..., ...) = 4
`;

const SYN_ACK = "S. 4000000000:4000000000(0) ack 1 win 9 <mss 1460,sackOK,TS val 77000 ecr 100,nop,wscale 8>";

/** Where a segment's header starts: behind an IPv4 header without options. */
const TCP = 20;

Deno.test("drill: the stack's first sequence number is learnt, and what is acknowledged to it is in its own numbers", () => {
  run(SERVER, packets([0, SYN_ACK]));
  assert.equal(get32(host.injected[1]!, TCP + 8) >>> 0, 4_000_000_001);
});

Deno.test("drill: timestamps are learnt, and echoed to the stack in its own numbers (RFC 7323 3)", () => {
  run(SERVER, packets([0, SYN_ACK]));
  assert.equal(get32(host.injected[1]!, TCP + 20 + 4), 200);
  assert.equal(get32(host.injected[1]!, TCP + 20 + 8), 77_000);
});

Deno.test("drill: blocks that are acknowledged selectively are in the stack's numbers (RFC 2018 3)", () => {
  run(`${SERVER}+0 < . 1:1(0) ack 1 win 9 <nop,nop,sack 1001:2001 4001:5001>`, packets([0, SYN_ACK]));
  const option = TCP + 20 + 2;
  assert.deepEqual([...host.injected[2]!.slice(option, option + 2)], [5, 18]);
  const edges = [2, 6, 10, 14].map((at) => (get32(host.injected[2]!, option + at) >>> 0) - 4_000_000_000);
  assert.deepEqual(edges, [1_001, 2_001, 4_001, 5_001]);
});

Deno.test("drill: a connection that follows another has numbers of its own, even if both begin alike", () => {
  const again = SERVER.slice(SERVER.indexOf("+0  <")).replace(" 4\n", " 5\n").replaceAll("500", "900");
  const other = SYN_ACK.replaceAll("4000000000", "1234").replace("77000", "5");
  run(`${SERVER}+0 close(4) = 0\n${again}`, packets([0, SYN_ACK], [100, other]));
  assert.equal(get32(host.injected[3]!, TCP + 8), 1_235);
  assert.equal(get32(host.injected[3]!, TCP + 20 + 8), 5);
});

Deno.test("drill: a SYN into a connection changes nothing as long as the stack does not take it", () => {
  run(`${SERVER}+0 < S 900:900(0)\n+0 < . 1:5(4) ack 1 win 9`, packets([0, SYN_ACK]));
  assert.deepEqual(host.injected[3]!.slice(TCP + 20), streamBytes(0, 4));
  assert.equal(get32(host.injected[3]!, TCP + 8) >>> 0, 4_000_000_001);
});

Deno.test("drill: a segment is compared in the script's numbers, across a wrap of the wire's", () => {
  const line = "+0 > P. 294967296:294967306(10) ack 1 win 5 <nop,nop,TS val 600 ecr 200>";
  const sent = "P. 0:10(10) ack 1 win 5 <nop,nop,TS val 77100 ecr 200>";
  // What the builder puts into a segment counts from the other end's numbers, so the bytes are not compared.
  const write = `+0 write(4, "x"..., 1) = 1\n`;
  run(`${SERVER}${write}${line}`, packets([0, SYN_ACK], [100, sent]));
  const message = failure(
    `${SERVER}${write}${line.replace("294967306", "294967307").replace("(10)", "(11)")}`,
    packets([0, SYN_ACK], [100, sent]),
  );
  assert.match(message, /^test\.pkt:10:4: /);
  assert.match(message, /payload length: expected 11, but it is 10/);
  assert.match(
    message,
    /sent at 0\.100000 s: > \[tos 0x0,ttl 64\] 192\.168\.0\.1:8080 > 192\.0\.2\.1:50000 P\. 294967296:294967306\(10\) ack 1 win 5/,
  );
});

// Each differs in one field from the SYN-ACK that the script expects.
const DIFFERENT: readonly (readonly [string, RegExp])[] = [
  [SYN_ACK.replace("S.", "S"), /flags: expected S\., but it is S/],
  [SYN_ACK.replace("S.", "SE."), /flags: expected S\., but it is SE\./],
  [SYN_ACK.replace("ack 1", "ack 2"), /ack: expected 1, but it is 2/],
  [SYN_ACK.replace("mss 1460", "mss 1400"), /options: expected <mss 1460,.*, but it is <mss 1400,/],
  [SYN_ACK.replace("ecr 100", "ecr 101"), /options: expected .*ecr 100,.*, but it is .*ecr 101,/],
  [SYN_ACK.replace("sackOK,TS", "nop,nop,TS"), /options: /],
  ["udp (5)", /protocol: expected tcp, but it is udp/],
  ["[badsum] " + SYN_ACK, /TCP's checksum is wrong/],
  ["[badipsum] " + SYN_ACK, /the IP header's checksum is wrong/],
];

Deno.test("drill: every field that differs is told, with what was expected and what was sent", () => {
  for (const [sent, message] of DIFFERENT) assert.match(failure(SERVER, packets([0, sent])), message);
  const twice = failure(SERVER, packets([0, SYN_ACK.replace("S.", "R.").replace("ack 1", "ack 7")]));
  assert.match(twice, /flags: .*\n.*seq: .*\n.*ack: /);
});

Deno.test("drill: a timestamp may be as late as its packet may, and no later", () => {
  const next = (value: number) => `. 4000000001:4000000001(0) ack 1 win 9 <nop,nop,TS val ${value} ecr 200>`;
  const script = `${SERVER}+0 > . 1:1(0) ack 1 <nop,nop,TS val 600 ecr 200>`;
  run(script, packets([0, SYN_ACK], [100, next(77_104)]));
  assert.match(failure(script, packets([0, SYN_ACK], [100, next(77_105)])), /TS val 600.*TS val 605/);
});

Deno.test("drill: a packet must leave at its time, give or take the tolerance", () => {
  const script = "0 < udp (1)\n+.1 > udp (2)";
  run(script, packets([104, "udp (2)"]));
  run(script, packets([96, "udp (2)"]));
  assert.match(
    failure(script, packets([95.9, "udp (2)"])),
    /time: expected 0\.100000 s.*but it is 0\.095900 s/,
  );
  assert.match(failure(script, packets([104.1, "udp (2)"])), /none did by 0\.104000 s/);
  run(`--tolerance_usecs=100000\n${script}`, packets([195, "udp (2)"]));
});

Deno.test("drill: in a range of times any will do, and what follows counts from the true one", () => {
  const script = "--tolerance_usecs=0\n0 < udp (1)\n+.1~+.3 > udp (2)\n+.1 > udp (3)";
  run(script, packets([150, "udp (2)"], [250, "udp (3)"]));
  assert.match(failure(script, packets([150, "udp (2)"], [251, "udp (3)"])), /none did by 0\.250000 s/);
  assert.match(failure(script, packets([301, "udp (2)"])), /none did by 0\.300000 s/);
  assert.match(failure(script, packets([50, "udp (2)"])), /expected 0\.100000 s to 0\.300000 s/);
});

Deno.test("drill: a packet with a star may leave at any time, and what follows counts from then", () => {
  run(
    "--tolerance_usecs=0\n0 < udp (1)\n* > udp (2)\n+1 > udp (3)",
    packets([3_600_000, "udp (2)"], [3_601_000, "udp (3)"]),
  );
  assert.match(failure("* > udp (2)"), /this packet must go out, but none did$/);
});

Deno.test("drill: a packet that the script does not expect is told at its end", () => {
  const message = failure("0 < udp (1)\n+1 < udp (2)", packets([500, "udp (9)"]));
  assert.match(
    message,
    /^test\.pkt:2:1: after this a packet is left.*\n {2}sent at 0\.500000 s: .* udp \(9\)$/,
  );
});

const STREAM = "0 socket(..., SOCK_STREAM, 0) = 3\n";
const reading = (...parts: readonly Uint8Array[]): Plan => ({
  answers: { receive: parts.map((part) => doneWith(part.length, part)) },
});

Deno.test("drill: what is read is the stream that was sent, byte for byte, across reads", () => {
  const script = `${STREAM}+0 read(3, ..., 100) = 60\n+0 read(3, ..., 100) = 40`;
  run(script, reading(streamBytes(0, 60), streamBytes(60, 40)));
  assert.match(
    failure(script, reading(streamBytes(0, 60), streamBytes(61, 40))),
    /data byte 0: expected 60, but it is 61/,
  );
  assert.match(
    failure(script, reading(streamBytes(0, 60), streamBytes(60, 39))),
    /expected 40, but it is 39/,
  );
});

Deno.test("drill: a peek does not move the stream on", () => {
  run(
    `${STREAM}+0 recv(3, ..., 10, MSG_PEEK) = 10\n+0 recv(3, ..., 10, 0) = 10`,
    reading(streamBytes(0, 10), streamBytes(0, 10)),
  );
});

Deno.test("drill: what is written goes on where the write before ended, however little of it was taken", () => {
  run(`${STREAM}+0 write(3, ..., 100) = 30\n+0 write(3, ..., 100) = 100`, {
    answers: { send: [done(30), done(100)] },
  });
  assert.deepEqual(host.sent, [streamBytes(0, 30), streamBytes(30, 100)]);
});

Deno.test("drill: text may be written and read in place of the stream", () => {
  run(`${STREAM}+0 write(3, "hello", 5) = 5`);
  assert.equal(new TextDecoder().decode(host.sent[0]), "hello");
  const text = (content: string) => reading(new TextEncoder().encode(content));
  run(`${STREAM}+0 read(3, "hello", 9) = 5`, text("hello"));
  run(`${STREAM}+0 read(3, "hel"..., 9) = 5`, text("hello"));
  assert.match(
    failure(`${STREAM}+0 read(3, "hello", 9) = 5`, text("jello")),
    /expected "hello", but it is "jello"/,
  );
  assert.match(failure(`${STREAM}+0 write(3, "hell", 5) = 5`), /"hell" is shorter than 5 bytes/);
});

Deno.test("drill: a call that has to wait returns at the time that the script says", () => {
  const plan: Plan = { ...reading(streamBytes(0, 5)), readyAt: milliseconds(200) };
  run(`${STREAM}+.1...0.2 read(3, ..., 9) = 5\n+.05 < udp (1)`, plan);
  assert.match(
    failure(`${STREAM}+.1...0.3 read(3, ..., 9) = 5`, plan),
    /to return at 0\.300000 s, but it did at 0\.200000 s/,
  );
  assert.match(
    failure(`${STREAM}+.1...0.15 read(3, ..., 9) = 5`, plan),
    /was to return at 0\.150000 s, but it still waits/,
  );
  assert.match(failure(`${STREAM}+.1 read(3, ..., 9) = 5`, plan), /has to wait: give the time/);
  const early = failure(`${STREAM}+.1...0.3 read(3, ..., 9) = 5`, reading(streamBytes(0, 5)));
  assert.match(early, /to return at 0\.300000 s, but it did at 0\.100000 s/);
});

Deno.test("drill: a call on a socket that does not wait fails with what it would have waited for", () => {
  const plan: Plan = { answers: { connect: [blocked("EINPROGRESS"), blocked("EALREADY"), done()] } };
  run(
    "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0) = 3\n+0 connect(3, ..., ...) = -1 EINPROGRESS (x)\n" +
      "+0 connect(3, ..., ...) = -1 EALREADY (x)\n+0 connect(3, ..., ...) = 0\n+0 read(3, ..., 1) = -1 EWOULDBLOCK (x)",
    plan,
  );
});

Deno.test("drill: a result must be the one in the script, and so must an error", () => {
  const answers = { connect: [failed("ECONNREFUSED")] };
  run(`${STREAM}+0 connect(3, ..., ...) = -1 ECONNREFUSED (Connection refused)`, { answers });
  assert.match(
    failure(`${STREAM}+0 connect(3, ..., ...) = 0`, { answers }),
    /expected 0, but it is -1 ECONNREFUSED/,
  );
  assert.match(
    failure(`${STREAM}+0 connect(3, ..., ...) = -1 ETIMEDOUT (x)`, { answers }),
    /expected -1 ETIMEDOUT, but it is -1 ECONNREFUSED/,
  );
  assert.match(
    failure(`${STREAM}+0 connect(3, ..., ...) = -1 EINVAL (x)`),
    /expected -1 EINVAL, but it is 0/,
  );
  run(
    `${STREAM}+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n+0 ioctl(3, SIOCINQ, [7]) = 0`,
  );
  assert.match(failure(`${STREAM}+0 ioctl(3, SIOCINQ, [8]) = 0`), /SIOCINQ: expected 8, but it is 7/);
});

Deno.test("drill: descriptors are the script's numbers, whatever the host's are", () => {
  run(`0 socket(..., SOCK_STREAM, 0) = 9\n+0 close(9) = 0\n+0 socket(..., SOCK_STREAM, 0) = 9`);
  assert.match(failure(`${STREAM}+0 close(4) = 0`), /test\.pkt:2:4: the script has no file descriptor 4/);
  assert.match(failure(`${STREAM}+0 socket(..., SOCK_STREAM, 0) = 3`), /has a file descriptor 3 already/);
});

Deno.test("drill: poll tells each socket's events, and what was not asked for only of errors", () => {
  const poll = (events: string, revents: string, count: number) => {
    return `${STREAM}+0 poll([{fd=3, events=${events}, revents=${revents}}], 1, 0) = ${count}`;
  };
  run(poll("POLLIN", "POLLIN|POLLHUP", 1));
  run(poll("0", "POLLHUP", 1));
  assert.match(
    failure(poll("POLLOUT", "POLLOUT", 1)),
    /fd 3: expected revents POLLOUT, but they are POLLHUP\|POLLOUT/,
  );
  run("0 poll([{fd=8, events=POLLIN, revents=POLLNVAL}], 1, 0) = 1");
  const late: Plan = { readyAt: milliseconds(300) };
  run(`${STREAM}+0...0.3 poll([{fd=3, events=POLLIN, revents=...}], 1, 1000) = 1`, late);
  run(`${STREAM}+0...0.2 poll([{fd=3, events=POLLIN}], 1, 200) = 0`, late);
});

Deno.test("drill: what is Linux's own fails the drill, or is passed over if told so", () => {
  const script =
    "`sysctl -q net.ipv4.tcp_timestamps=0`\n0 < udp (1)\n+0 %{ assert tcpi_rto == 200000 }%\n+0 `true`";
  assert.throws(() => run(script), DrillUnsupported);
  const report = run(script, {}, { unsupported: "skip" });
  assert.deepEqual([report.status, report.events], ["passed", 3]);
  assert.deepEqual(report.skipped, [
    "test.pkt:1:1: a shell command is not supported",
    "test.pkt:3:4: a code block is not supported",
    "test.pkt:4:4: a shell command is not supported",
  ]);
  const ended = run("0 epoll_create(1) = 3\n+0 < udp (1)", {}, { unsupported: "skip" });
  assert.deepEqual([ended.status, ended.skipped], ["skipped", [
    "test.pkt:1:3: the call epoll_create() is not supported",
  ]]);
});

Deno.test("drill: an error about a packet must quote one that came in", () => {
  const script = "0 < udp (20)\n+0 > icmp unreachable port_unreachable [udp (20)]";
  const config = configure([], "test");
  const about = fromStack("192.0.2.1:50000 > 192.168.0.1:8080 udp (20)", config);
  const error = (quoted: Uint8Array): Plan => {
    const bytes = fromStack(
      `192.168.0.1 > 192.0.2.1 icmp unreachable port_unreachable [raw (${quoted.length + 8})]`,
      config,
    );
    bytes.set(quoted, 28);
    bytes.set([0, 0], 22);
    let sum = 0;
    for (let at = 20; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
    sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
    bytes.set([sum >> 8, sum & 0xff], 22);
    return { packets: [{ at: 0, bytes }] };
  };
  run(script, error(about));
  run(script, error(about.slice(0, 28)));
  assert.match(
    failure(script, error(about.slice(0, 27))),
    /quoted bytes: expected at least 28, but it is 27/,
  );
  assert.match(failure(script, error(about.map((byte, at) => at === 25 ? byte ^ 1 : byte))), /quotation: /);
  assert.match(
    failure(script.replace(" [udp (20)]", " [udp (21)]"), error(about)),
    /quoted payload length: expected 21, but it is 20/,
  );
});

Deno.test("drill: ecn, type of service, time to live and flow label are compared where the script gives them", () => {
  const sent = packets([0, "[tos 0x2a, ttl 7] udp (1)"]);
  run("0 > [tos 0x2a, ttl 7, ect0, len 29] udp (1)", sent);
  run("0 > [ect01] udp (1)", sent);
  run("0 > udp (1)", sent);
  assert.match(failure("0 > [ce] udp (1)", sent), /ecn: expected ce, but it is ect0/);
  assert.match(
    failure("0 > [ect01] udp (1)", packets([0, "udp (1)"])),
    /expected ect0 or ect1, but it is noecn/,
  );
  assert.match(failure("0 > [tos 0x2b] udp (1)", sent), /tos: expected 0x2b, but it is 0x2a/);
  assert.match(failure("0 > [ttl 8] udp (1)", sent), /ttl: expected 8, but it is 7/);
  assert.match(failure("0 > [len 30] udp (1)", sent), /len: expected 30, but it is 29/);
  assert.match(failure("0 > udp 8081 > 50000 (1)", sent), /source port: expected 8081, but it is 8080/);
  assert.match(
    failure("0 > 192.168.0.1:8080 > 192.0.2.2:50000 udp (1)", sent),
    /destination: expected 192\.0\.2\.2/,
  );
  assert.match(failure("0 > udp (2)", sent), /payload length: expected 2, but it is 1/);
});

Deno.test("drill: options set the addresses, the ports, the clock's precision and constants", () => {
  const config = (text: string) => configure(parseScript(text, "test.pkt").options, "test.pkt");
  const own = config(
    "--local_ip=10.1.2.3\n--netmask_ip=255.255.255.0\n--remote_ip=10.9.9.9\n--gateway=10.1.2.1\n--mtu=576",
  );
  assert.deepEqual([`${own.local}/${own.prefix}`, `${own.remote}`, `${own.gateway}`, own.mtu], [
    ...["10.1.2.3/24", "10.9.9.9", "10.1.2.1", 576],
  ]);
  const v6 = config("--ip_version=ipv6\n--define=SIZE=20");
  assert.deepEqual([v6.isV4, `${v6.local}`, v6.defines.get("SIZE")], [false, "fd3d:fa7b:d17d::1", "20"]);
  assert.throws(() => config("--no_such=1"), /test\.pkt:1:1: --no_such=1: there is no such option/);
  assert.throws(() => config("--mtu=9"), /expected a number from 68 to 65535/);
  assert.throws(() => config("--ip_version=ipv5"), /expected ipv4 or ipv6/);
  assert.throws(
    () => config("--tolerance_usecs=5\n--local_ip=::1"),
    /test\.pkt:2:1: the address ::1 does not fit/,
  );
  run(`--define=SIZE=20\n${STREAM}+0 write(3, ..., SIZE) = SIZE`);
  run("--dry_run\n0 > udp (1)");
});

import assert from "node:assert/strict";
import type { Action, CallAction, Event, Expression, PacketAction, TcpBody } from "./ast.ts";
import { parseScript, titleOf } from "./parser.ts";

function event(line: string): Event {
  const { events } = parseScript(line, "test.pkt");
  assert.equal(events.length, 1);
  return events[0]!;
}

function action<K extends Action["kind"]>(kind: K, line: string): Action & { readonly kind: K } {
  const found = event(line).action;
  assert.equal(found.kind, kind);
  return found as Action & { readonly kind: K };
}

const packet = (text: string): PacketAction => action("packet", `+0 ${text}`);
const call = (text: string): CallAction => action("call", `+0 ${text}`);

function tcp(text: string): TcpBody {
  const { body } = packet(text);
  assert.ok(body.kind === "tcp");
  return body;
}

/** The one argument of `f(text)`, without the places. */
function argument(text: string): unknown {
  return bare(call(`f(${text}) = 0`).args[0]!);
}

function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (value === null || typeof value !== "object" || "isV4" in value) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => key !== "at").map(([key, inner]) => [key, bare(inner)]),
  );
}

const integer = (value: number, hex = false) => ({ kind: "integer", value, hex });
const word = (name: string) => ({ kind: "word", name });

Deno.test("drill: comments of all three kinds are left out", () => {
  const { events } = parseScript("// one\n# two\n/* three\n * four */ 0 /**/ < udp (1) // five\n", "x");
  assert.equal(events.length, 1);
  assert.deepEqual(events[0]!.at, { line: 4, column: 12 });
});

Deno.test("drill: the first comment that says something is the title", () => {
  assert.equal(titleOf("//\n//  A title. \n// More.\n0 < udp (1)"), "A title.");
  assert.equal(titleOf("# A title\n"), "A title");
  assert.equal(titleOf("/* A title */\n"), "A title");
  assert.equal(titleOf("/*\n * A title\n */"), "A title");
  assert.equal(titleOf("--mtu=1500\n// late"), undefined);
  assert.equal(titleOf(""), undefined);
});

Deno.test("drill: options come first, with numbers, words, strings, addresses and definitions as values", () => {
  const { options } = parseScript(
    '--a=10\n--b=ipv4 --c="x y"\n--d=192.168.0.1\n--e=fd3d::1\n--f=A=B\n--g // nothing\n0 < udp (1)',
    "x",
  );
  assert.deepEqual(options.map(({ name, value }) => [name, value]), [
    ["a", "10"],
    ["b", "ipv4"],
    ["c", "x y"],
    ["d", "192.168.0.1"],
    ["e", "fd3d::1"],
    ["f", "A=B"],
    ["g", undefined],
  ]);
});

Deno.test("drill: commands without a time may stand before the first event and behind the last", () => {
  const script = parseScript('`set\nup`\n0 `with \\` time`\n+1 %{ print("}") }%\n`clean up`', "x");
  assert.deepEqual(script.setUp.map(({ text }) => text), ["set\nup"]);
  assert.deepEqual(script.cleanUp.map(({ text }) => text), ["clean up"]);
  assert.deepEqual(script.events.map(({ action }) => action.kind), ["command", "code"]);
});

Deno.test("drill: times are absolute, relative, ranges of either, or any", () => {
  const times = ["0", "1.5", "+0", "+.1", ".1~.2", "+.1~+.25", "*"].map((time) => {
    return event(`${time} > udp (1)`).time;
  });
  assert.deepEqual(times, [
    { kind: "at", relative: false, from: 0 },
    { kind: "at", relative: false, from: 1_500_000 },
    { kind: "at", relative: true, from: 0 },
    { kind: "at", relative: true, from: 100_000 },
    { kind: "between", relative: false, from: 100_000, to: 200_000 },
    { kind: "between", relative: true, from: 100_000, to: 250_000 },
    { kind: "any" },
  ]);
});

Deno.test("drill: a call that blocks has its end behind its start, dots between them", () => {
  assert.equal(action("call", "+.1...0.2 f() = 0").end, 200_000);
  assert.equal(action("call", "0...1 f() = 0").end, 1_000_000);
  assert.equal(action("call", "0 f() = 0").end, undefined);
});

Deno.test("drill: a segment has flags, a sequence range, and what may follow", () => {
  const { direction, body } = packet("< SEWAU. 100:1100(1000) ack 7 win 65535 urg 3 <nop>");
  assert.equal(direction, "in");
  assert.deepEqual(body, {
    kind: "tcp",
    flags: { text: "SEWAU.", bits: 0x1f2, ace: undefined },
    sequence: 100,
    length: 1_000,
    acknowledgment: 7,
    window: 65_535,
    urgent: 3,
    options: [{ kind: "nop" }],
    mutation: undefined,
  });
});

Deno.test("drill: flags are letters, a dot for ACK, a dash for none, and a digit for the ECN counter (RFC 9768)", () => {
  const bits = ["-", ".", "S", "S.", "FP.", "R", "C.", "P.5", ".2", "F.7", "S3"].map((text) => {
    return tcp(`> ${text} 0:0(0)`).flags.bits;
  });
  assert.deepEqual(bits, [0, 0x10, 2, 0x12, 0x19, 4, 0x90, 0x158, 0x90, 0x1d1, 0xc2]);
  assert.equal(tcp("> P.5 0:0(0)").flags.ace, 5);
});

Deno.test("drill: a sequence range may wrap around (RFC 9293 3.4)", () => {
  assert.equal(tcp("> . 4294967290:4(10)").sequence, 4_294_967_290);
});

Deno.test("drill: every TCP option has its own form", () => {
  const { options } = tcp(
    "> . 1:1(0) <mss 1460,sackOK,TS val 100 ecr 4294967295,nop,wscale 7,sack 1:2 3:4,FO,FO abcd12,FOEXP 0011," +
      "md5 00112233445566778899aabbccddeeff,ECN e1b 1 ceb 0,kind 253 0xbeef,kind 99,mp_capable a b,eol>",
  );
  assert.deepEqual(options, [
    { kind: "mss", value: 1_460 },
    { kind: "sackOK" },
    { kind: "TS", value: 100, echo: 4_294_967_295 },
    { kind: "nop" },
    { kind: "wscale", value: 7 },
    { kind: "sack", blocks: [{ left: 1, right: 2 }, { left: 3, right: 4 }] },
    { kind: "FO", data: new Uint8Array(0) },
    { kind: "FO", data: Uint8Array.of(0xab, 0xcd, 0x12) },
    { kind: "FOEXP", data: Uint8Array.of(0, 0x11) },
    { kind: "md5", data: Uint8Array.fromHex("00112233445566778899aabbccddeeff") },
    { kind: "ECN", counters: [{ name: "e1b", value: 1 }, { name: "ceb", value: 0 }] },
    { kind: "other", number: 253, data: Uint8Array.of(0xbe, 0xef) },
    { kind: "other", number: 99, data: new Uint8Array(0) },
    { kind: "unsupported", text: "mp_capable a b" },
    { kind: "eol" },
  ]);
  assert.equal(tcp("> . 1:1(0) <...>").options, "any");
  assert.deepEqual(tcp("> . 1:1(0)").options, []);
});

Deno.test("drill: ECN, type of service, time to live, flow label and faults stand in brackets", () => {
  const info = (text: string) => {
    const { ecn, trafficClass, hopLimit, flowLabel, fault } = packet(text).ip;
    return [ecn, trafficClass, hopLimit, flowLabel, fault];
  };
  assert.deepEqual(info("> [ect01] . 1:1(0)"), ["ect01", undefined, undefined, undefined, undefined]);
  assert.deepEqual(info("< (tos 0x1c) . 1:1(0)"), [undefined, 0x1c, undefined, undefined, undefined]);
  assert.deepEqual(info("> [ce, flowlabel 0xabcde] . 1:1(0)"), [
    "ce",
    undefined,
    undefined,
    0xabcde,
    undefined,
  ]);
  assert.deepEqual(info("< [ttl 3,badsum] udp (1)"), [undefined, undefined, 3, undefined, "badsum"]);
  assert.equal(packet("> [len 576] udp (1)").ip.totalLength, 576);
});

Deno.test("drill: ports and addresses may be given, of both families", () => {
  assert.deepEqual(packet("< 5000 > 80 S 0:0(0)").ports, { source: 5_000, destination: 80 });
  assert.deepEqual(packet("< udp 53 > 5353 (0)").ports, { source: 53, destination: 5_353 });
  const { addresses, ports } = packet("< 10.0.0.1:53 > 10.0.0.255:5353 udp (0)");
  assert.equal(addresses?.destination.toString(), "10.0.0.255");
  assert.deepEqual(ports, { source: 53, destination: 5_353 });
  const icmp = packet("< fe80::1 > ff02::1 icmp echo_request");
  assert.equal(icmp.addresses?.source.toString(), "fe80::1");
  const udp = packet("< [ttl 9] [fe80::1]:53 > [fe80::2]:99 udp (4)");
  assert.equal(udp.addresses?.destination.toString(), "fe80::2");
  assert.deepEqual(udp.ports, { source: 53, destination: 99 });
  assert.equal(icmp.ports, undefined);
});

Deno.test("drill: an ICMP message has a type, and may have a code, fields and the packet it quotes", () => {
  const message = (text: string) => {
    const { body } = packet(text);
    assert.ok(body.kind === "icmp");
    return [body.type, body.code, body.mtu, body.identifier, body.sequence, body.quoted];
  };
  const none = undefined;
  assert.deepEqual(message("< icmp unreachable port_unreachable [udp (10)]"), [
    ...["unreachable", "port_unreachable", none, none, none],
    { kind: "udp", length: 10 },
  ]);
  assert.deepEqual(message("< icmp unreachable frag_needed mtu 1200 [1:1001(1000)]"), [
    ...["unreachable", "frag_needed", 1_200, none, none],
    { kind: "tcp", sequence: 1, length: 1_000 },
  ]);
  assert.deepEqual(message("< [1:1001(1000)] icmp source_quench"), [
    ...["source_quench", none, none, none, none],
    { kind: "tcp", sequence: 1, length: 1_000 },
  ]);
  assert.deepEqual(message("< icmp echo_request id 3 seq 4 [raw (64)]"), [
    ...["echo_request", none, none, 3, 4],
    { kind: "raw", length: 64 },
  ]);
});

Deno.test("drill: packets may be carried in IPv4, IPv6, GRE and MPLS, one in another", () => {
  const { carriers, body } = packet(
    "< ipv4 [ttl 9] 2.2.2.2 > 1.1.1.1: gre: mpls (label 0, tc 7, ttl 1) (label 9, tc 0, [S], ttl 255):" +
      " ipv6 2::2222 > 1::1111: gre flags [checksum present, sequence# present], sum 1, off 0, key 0xffffffff, seq 5:" +
      " . 1:2(1)",
  );
  assert.deepEqual(carriers.map(({ kind }) => kind), ["ip", "gre", "mpls", "ip", "gre"]);
  assert.ok(carriers[0]?.kind === "ip" && carriers[0].isV4 && carriers[0].info.hopLimit === 9);
  assert.ok(carriers[3]?.kind === "ip" && carriers[3].destination.toString() === "1::1111");
  assert.deepEqual(carriers[2], {
    kind: "mpls",
    labels: [
      { label: 0, trafficClass: 7, isBottom: false, ttl: 1 },
      { label: 9, trafficClass: 0, isBottom: true, ttl: 255 },
    ],
  });
  assert.deepEqual(carriers[4], {
    kind: "gre",
    header: { flags: 0x9000, sum: 1, offset: 0, key: 0xffffffff, sequence: 5 },
  });
  assert.equal(body.kind, "tcp");
});

Deno.test("drill: what a fuzzer is to do with a packet is kept as text", () => {
  assert.equal(tcp("< S 0:0(0) {mut ip ihl; trun tcp 1-2}").mutation, "mut ip ihl; trun tcp 1-2");
});

Deno.test("drill: a call has arguments, a result, an error and a remark", () => {
  const { name, args, result, errno, note } = call(
    "read(3, ..., 0x10) = -1 EAGAIN (Resource temporarily unavailable)",
  );
  assert.equal(name, "read");
  assert.deepEqual(args.map(bare), [integer(3), { kind: "ellipsis" }, integer(16, true)]);
  assert.deepEqual(bare(result), integer(-1));
  assert.equal(errno, "EAGAIN");
  assert.equal(note, "Resource temporarily unavailable");
  const flags = call("fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)");
  assert.deepEqual([flags.errno, flags.note], [undefined, "flags O_RDWR|O_NONBLOCK"]);
});

Deno.test("drill: expressions are numbers, words, strings, alternatives, arrays, calls and definitions", () => {
  assert.deepEqual(argument("O_RDWR|0x2|3"), {
    kind: "or",
    parts: [word("O_RDWR"), integer(2, true), integer(3)],
  });
  assert.deepEqual(argument('"a\\n\\x41" "b"...'), { kind: "string", text: "a\nAb", goesOn: true });
  assert.deepEqual(argument("[1, [2], []]"), {
    kind: "array",
    items: [integer(1), { kind: "array", items: [integer(2)] }, { kind: "array", items: [] }],
  });
  assert.deepEqual(argument("sizeof(x)"), { kind: "call", name: "sizeof", args: [word("x")] });
  assert.deepEqual(argument("tcp_flag=1"), { kind: "assign", name: "tcp_flag", value: integer(1) });
  assert.deepEqual(argument("{1, a}"), { kind: "list", items: [integer(1), word("a")] });
});

Deno.test("drill: the socket interface's structures are told apart by their fields", () => {
  const address = call('f({sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("10.0.0.1")}) = 0')
    .args[0]!;
  assert.ok(address.kind === "sockaddr" && address.port === 80 && address.address.toString() === "10.0.0.1");
  const v6 = call('f({sa_family=AF_INET6, sin6_port=htons(1), sin6_addr=inet6_addr("::1")}) = 0').args[0]!;
  assert.ok(v6.kind === "sockaddr" && v6.address.toString() === "::1");
  const plain = call('f(inet_addr("10.0.0.1")) = 0').args[0]!;
  assert.ok(plain.kind === "address" && plain.address.isV4);
  assert.deepEqual(argument("{fd=3, events=POLLIN, revents=0}"), {
    kind: "pollfd",
    fd: integer(3),
    events: word("POLLIN"),
    revents: integer(0),
  });
  assert.deepEqual(argument("{events=EPOLLIN, ptr=7}"), {
    kind: "epoll",
    events: word("EPOLLIN"),
    data: "ptr",
    value: integer(7),
  });
  assert.deepEqual(argument("{onoff=1, linger=5}"), { kind: "linger", on: 1, seconds: 5 });
  assert.deepEqual(argument("{..., 1000}"), { kind: "iovec", base: { kind: "ellipsis" }, length: 1_000 });
  assert.deepEqual(argument("{flags 0xb000, sum 1, off 2, key 3, seq 4}"), {
    kind: "gre",
    header: { flags: 0xb000, sum: 1, offset: 2, key: 3, sequence: 4 },
  });
  assert.deepEqual(argument("{(label 1, tc 0, [S], ttl 64)}"), {
    kind: "mpls",
    labels: [{ label: 1, trafficClass: 0, isBottom: true, ttl: 64 }],
  });
});

Deno.test("drill: a message header holds vectors and control messages", () => {
  const header: Expression = call(
    "recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 9}], msg_flags=MSG_TRUNC, msg_control=[" +
      "{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=EMSGSIZE, ee_origin=2, ee_type=3, ee_code=4," +
      " ee_info=1200, ee_data=0}}, {cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING," +
      " cmsg_data={scm_sec=1, scm_nsec=5}}]}, 0) = 9",
  ).args[1]!;
  assert.ok(header.kind === "msghdr");
  assert.deepEqual(header.vectors.map(bare), [{ kind: "iovec", base: { kind: "ellipsis" }, length: 9 }]);
  const data = header.control.map((control) => control.kind === "cmsg" ? control.data.kind : control.kind);
  assert.deepEqual(data, ["extended-error", "timestamping"]);
});

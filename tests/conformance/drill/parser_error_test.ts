import assert from "node:assert/strict";
import { check, fc } from "../../support/property.ts";
import { DrillSyntaxError } from "./error.ts";
import { parseScript } from "./parser.ts";

// Each with where the message must point and what it must say.
const WRONG: readonly (readonly [string, number, number, RegExp])[] = [
  ["0 < udp (1)\n/* open", 2, 1, /not closed by \*\//],
  ['0 f("open) = 0', 1, 5, /string is not closed/],
  ["0 `open", 1, 3, /backquote/],
  ["0 %{ open", 1, 3, /not closed by }%/],
  ["0", 1, 2, /expected a packet.*the end of the script/],
  ["< udp (1)", 1, 1, /expected a time in seconds, but there is "<"/],
  ["-1 < udp (1)", 1, 1, /must not be negative/],
  ["+1~+.5 > udp (1)", 1, 4, /must not end before/],
  ["+1~2 > udp (1)", 1, 4, /expected "\+"/],
  ["* < udp (1)", 1, 1, /only for packets that must go out/],
  ["0~1 f() = 0", 1, 1, /only for packets that must go out/],
  ["1...0 f() = 0", 1, 5, /must not end before it starts/],
  ["0 < udp 1", 1, 9, /expected "\(", but there is "1"/],
  ["0 < udp (70000)", 1, 10, /70000 is no payload length: it must be between 0 and 65535/],
  ["0 < udp 1 > 70000 (1)", 1, 13, /70000 is no port/],
  ["0 < 1.2.3.999 > 1.2.3.4 icmp echo_request", 1, 5, /no IP address/],
  ["0 < S 0:1(0)", 1, 7, /ends at 0, not 1/],
  ["0 < SX 0:0(0)", 1, 6, /"X" is no TCP flag/],
  ["0 < SS 0:0(0)", 1, 6, /there twice/],
  ["0 < W.5 0:0(0)", 1, 6, /cannot be given beside the counter/],
  ["0 < S 0:0(0) <mss>", 1, 18, /expected segment size, but there is ">"/],
  ["0 < S 0:0(0) <msss 5>", 1, 15, /"msss" is no TCP option: expected mss/],
  ["0 < S 0:0(0) <nop", 1, 18, /expected "," or ">", but there is the end/],
  ["0 < S 0:0(0) <...>", 1, 15, /only for packets that must go out/],
  ["0 < S 0:0(0) <FO abc>", 1, 18, /two digits a byte/],
  ["0 < [ect01] S 0:0(0)", 1, 5, /only for packets that must go out/],
  ["0 > [badsum] udp (1)", 1, 5, /only for packets that come in/],
  ["0 < [len 9] udp (1)", 1, 5, /only for packets that must go out/],
  ["0 < [ect2] S 0:0(0)", 1, 6, /expected one of noecn/],
  ["0 < [tos 256] S 0:0(0)", 1, 10, /between 0 and 255/],
  ["0 < ipv4 1::1 > 2.2.2.2: S 0:0(0)", 1, 10, /expected an IPv4 address/],
  ["0 < icmp 3", 1, 10, /expected an ICMP message's type/],
  ["0 < icmp unreachable x [tcp]", 1, 25, /expected the quoted packet/],
  ["0 < [udp (1)] udp (1)", 1, 15, /expected "icmp"/],
  ["0 f(1 = 0", 1, 7, /expected "," or "\)"/],
  ["0 f(1)", 1, 7, /expected "="/],
  ["0 f(,) = 0", 1, 5, /expected a value, but there is ","/],
  ["0 f(99999999999999999999) = 0", 1, 5, /too large/],
  ["0 f({sa_family=AF_UNIX}) = 0", 1, 16, /expected AF_INET, AF_INET6 or AF_UNSPEC/],
  ['0 f({sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("::1")}) = 0', 1, 63, /no IPv4 address/],
  ["0 f({fd=1, revents=2}) = 0", 1, 12, /expected "events"/],
  ["0 f({msg_name(...)=..., msg_iov(2)=[{..., 1}], msg_flags=0}) = 0", 1, 36, /there are 1 vectors, not 2/],
  ["0 f() = 0 (open", 1, 11, /not closed by \)/],
  [`0 f(${"[".repeat(200)}) = 0`, 1, 69, /nest too deeply/],
  ["0 < udp (1)\n--late=1", 2, 1, /expected a time in seconds, but there is the option --late/],
  ["--a=", 1, 5, /a value for the option --a/],
  ["0 < udp (1)\n`clean`\n0 < udp (1)", 3, 1, /expected the end of the script/],
];

Deno.test("drill: a syntax error says the file, the line, the column, and what was expected", () => {
  for (const [source, line, column, reason] of WRONG) {
    try {
      parseScript(source, "wrong.pkt");
    } catch (error) {
      assert.ok(error instanceof DrillSyntaxError, `${source}: ${error}`);
      assert.deepEqual(error.at, { line, column }, `${source}: ${error.message}`);
      assert.match(error.message, reason, source);
      assert.ok(error.message.startsWith(`wrong.pkt:${line}:${column}: `), error.message);
      continue;
    }
    assert.fail(`this was read without an error: ${source}`);
  }
});

const PIECES = [
  ...[
    "0",
    "+",
    "+.1",
    "~",
    "*",
    "...",
    "<",
    ">",
    "<...>",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "|",
    "-",
  ],
  ...[
    "S.",
    ".",
    "P.5",
    "udp",
    "icmp",
    "raw",
    "1:1(0)",
    "ack 1",
    "win 9",
    "mss 5",
    "sack 1:2",
    "TS val 1 ecr 2",
  ],
  ...["FO", "ff", "ipv4", "ipv6", "gre", "mpls", "1.2.3.4", "::1", "ect0", "tos 0x1", "unreachable", "mtu 9"],
  ...[
    "f",
    "socket(",
    '"s"',
    '"',
    "`c`",
    "`",
    "%{x}%",
    "%{",
    "//",
    "#",
    "/*",
    "*/",
    "\n",
    "--o",
    "--o=1",
    "0x1f",
  ],
  ...[
    "{fd=",
    "events=",
    "{sa_family=",
    "AF_INET",
    "htons(1)",
    'inet_addr("1.2.3.4")',
    "msg_name(...)=...",
    "=-1",
  ],
];

Deno.test("drill: whatever is not a script is refused with a syntax error and nothing else", () => {
  const soup = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })), { maxLength: 40 });
  check(
    fc.property(soup, fc.constantFrom("", " "), (pieces, between) => {
      try {
        parseScript(pieces.join(between), "soup.pkt");
      } catch (error) {
        if (!(error instanceof DrillSyntaxError)) throw error;
        assert.ok(error.at.line >= 1 && error.at.column >= 1);
      }
    }),
    { runs: 2_000 },
  );
});

Deno.test("drill: every prefix of a script is a script or a syntax error that points into it", () => {
  const whole =
    '--a=1\n`x`\n0 socket(..., SOCK_DGRAM, 0) = 3\n+.1...0.2 recvfrom(3, "ab"..., [5], {onoff=1, linger=0})' +
    " = -1 EAGAIN (x)\n* > [ect0] SWE. 0:9(9) ack 1 <mss 1460,sack 1:2>\n+0 < ipv4 1.1.1.1 > 2.2.2.2: gre: udp (9)";
  for (let length = 0; length < whole.length; length++) {
    try {
      parseScript(whole.slice(0, length), "prefix.pkt");
    } catch (error) {
      assert.ok(error instanceof DrillSyntaxError, `${length}: ${error}`);
      assert.ok(error.at.line <= 6);
    }
  }
});

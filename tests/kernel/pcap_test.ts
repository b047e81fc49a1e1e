/**
 * Our captures and filters against the programs that everybody uses for them: tcpdump with libpcap, and Wireshark's.
 */
import assert from "node:assert/strict";
import { BpfProgram, PcapWriter, readPcap } from "../../mod.ts";
import { findProgram } from "../../scripts/setup/programs.ts";
import { arpFrame, concat, data, echoRequest, ethernet, ipv4 } from "../support/frames.ts";
import { classic, frame, ng, type Written } from "../support/pcap.ts";
import { check, fc } from "../support/property.ts";

/** A test that runs these programs over a file; where one is missing it is ignored, and its name says which. */
function toolTest(name: string, programs: readonly string[], body: (path: string) => void): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) {
    Deno.test.ignore(`${name} [skipped: ${missing.join(", ")} not installed; deno task setup]`, () => {});
    return;
  }
  Deno.test(name, () => {
    const directory = Deno.makeTempDirSync({ prefix: "ethox-pcap-" });
    try {
      body(`${directory}/capture`);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

interface Output {
  readonly success: boolean;
  readonly bytes: Uint8Array;
  readonly out: string;
  readonly err: string;
}

function attempt(program: string, ...args: readonly string[]): Output {
  const path = findProgram(program) ?? program;
  const { success, stdout, stderr } = new Deno.Command(path, { args: [...args] }).outputSync();
  const decoder = new TextDecoder();
  return { success, bytes: stdout, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

function run(program: string, ...args: readonly string[]): Output {
  const output = attempt(program, ...args);
  assert.ok(output.success, `${program} ${args.join(" ")}: ${output.err}`);
  return output;
}

/** What a program complained of, but for its being run by root and what tcpdump says of every file. */
function complaints(err: string): string[] {
  return err.split("\n").filter((line) =>
    !/^$|^Running as user|^reading from (file|PCAP)|^dropped privs/.test(line)
  );
}

function udp(source: number, destination: number, payload: Uint8Array): Uint8Array {
  const length = 8 + payload.length;
  return concat(
    Uint8Array.of(source >> 8, source, destination >> 8, destination, length >> 8, length, 0, 0),
    payload,
  );
}

function tcp(source: number, destination: number, flags: number): Uint8Array {
  const header = new Uint8Array(20);
  header.set([source >> 8, source, destination >> 8, destination]);
  header.set([0x50, flags, 0x10], 12);
  return header;
}

/** Frames of all kinds, whole ones, and each cut off in some places. */
function assorted(): Uint8Array[] {
  const whole = [
    arpFrame({}, { padTo: 46 }),
    echoRequest(),
    echoRequest({ data: data(1_400), ip: { source: "192.168.7.9" } }),
    echoRequest({ ip: { options: [1, 1, 1, 1], hopLimit: 1 } }),
    ethernet(ipv4(udp(53, 40_000, data(30)), { protocol: 17, trafficClass: 0x88 })),
    ethernet(ipv4(udp(40_000, 53, data(3)), { protocol: 17, destination: "224.0.0.251" }), {
      destination: "01:00:5e:00:00:fb",
    }),
    ethernet(ipv4(udp(1, 2, data(64)), { protocol: 17, offset: 1_480 })),
    ...[0x02, 0x12, 0x10, 0x04, 0x11].map((flags) => ethernet(ipv4(tcp(1_234, 80, flags), { protocol: 6 }))),
    ethernet(ipv4(tcp(80, 60_000, 0x18), { protocol: 6, options: [1, 1, 1, 0] })),
    ethernet(concat(Uint8Array.of(0, 42, 8, 0), ipv4(tcp(80, 5, 2), { protocol: 6 })), { etherType: 0x8100 }),
    ethernet(concat(Uint8Array.of(0x60, 0, 0, 0, 0, 11, 17, 64), data(32), udp(53, 53, data(3))), {
      etherType: 0x86dd,
    }),
    ethernet(concat(Uint8Array.of(0x60, 0, 0, 0, 0, 20, 6, 64), data(32), tcp(80, 443, 2)), {
      etherType: 0x86dd,
    }),
    ethernet(data(50), { etherType: 0x88cc, destination: "01:80:c2:00:00:0e" }),
  ];
  const cuts = [0, 6, 13, 14, 20, 33, 34, 35, 37, 40, 47, 54];
  return [...whole, ...whole.flatMap((bytes) => cuts.map((length) => bytes.slice(0, length)))];
}

function numbered(frames: readonly Uint8Array[]): Written[] {
  return frames.map((bytes, index) => frame(bytes, { timestamp: index }));
}

/** How many frames libpcap and our interpreter both select; undefined: tcpdump does not compile the expression. */
function assertSameSelection(
  path: string,
  frames: readonly Uint8Array[],
  expression: string,
): number | undefined {
  const selected = attempt("tcpdump", "-r", path, "-w", "-", expression);
  // Nothing is TCP and UDP at once, and x / x may divide by zero: libpcap makes no program of such.
  if (/rejects all packets|by zero/.test(selected.err)) return undefined;
  assert.ok(selected.success, `${expression}: ${selected.err}`);
  const theirs = [...readPcap(selected.bytes)];
  const program = new BpfProgram(run("tcpdump", "-y", "EN10MB", "-dd", expression).out);
  const ours = frames.flatMap((bytes, index) => program.run(bytes, 0, bytes.length) === 0 ? [] : [index]);
  assert.deepEqual(ours, theirs.map(({ timestamp }) => timestamp), expression);
  return ours.length;
}

toolTest(
  "filter: selects the packets that libpcap selects, for expressions of all kinds",
  ["tcpdump"],
  (path) => {
    const frames = assorted();
    Deno.writeFileSync(path, ng(numbered(frames)));
    const expressions = [
      "arp",
      "ip",
      "ip6",
      "icmp[icmptype] == icmp-echo",
      "tcp port 80",
      "udp port 53",
      "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
      "tcp dst portrange 80-443 and not ip6",
      "host 10.0.0.1 and not src host 10.0.0.2 or net 192.168.0.0/16",
      "ether multicast or ether host 02:00:00:00:00:02 and ip multicast",
      "vlan 42 and tcp src port 80",
      "ip[6:2] & 0x1fff != 0",
      "greater 200",
      "less 60 and ip proto 17",
      "ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) == 0",
      "ip[8] * ip[9] % 7 > 2 and len / 3 > 10",
      "ether[ether[14] & 0x1f] & 0x0f > 4 ^ ip[9]",
      "ether proto 0x88cc or (ip and ip[1] = 0x88)",
    ];
    for (const expression of expressions) {
      const count = assertSameSelection(path, frames, expression);
      assert.ok(
        count !== undefined && count > 0 && count < frames.length,
        `${expression} selects ${count} of ${frames.length}`,
      );
    }
  },
);

toolTest("filter: selects what libpcap selects, for expressions drawn at random", ["tcpdump"], (path) => {
  const frames = assorted();
  Deno.writeFileSync(path, ng(numbered(frames)));
  const load = fc.tuple(fc.constantFrom("ether", "ip", "tcp", "udp"), fc.nat(40), fc.constantFrom(1, 2, 4))
    .map(([protocol, at, size]) => `${protocol}[${at}:${size}]`);
  const number = fc.oneof(fc.integer({ min: 1, max: 31 }).map(String), fc.constant("0xffffff00"));
  const binary = fc.tuple(
    load,
    fc.constantFrom("+", "-", "*", "&", "|", "^", "/", "%"),
    fc.oneof(load, number),
  );
  const shift = fc.tuple(load, fc.constantFrom("<<", ">>"), fc.integer({ min: 1, max: 31 }).map(String));
  const term = fc.oneof(binary, shift).map((parts) => parts.join(" "));
  const relation = fc.tuple(term, fc.constantFrom("=", "!=", ">", "<", ">=", "<="), fc.oneof(term, number));
  const expression = fc.array(relation.map((parts) => `(${parts.join(" ")})`), {
    minLength: 1,
    maxLength: 3,
  });
  let compared = 0;
  check(
    fc.property(expression, fc.constantFrom(" and ", " or ", " and not "), (relations, by) => {
      if (assertSameSelection(path, frames, relations.join(by)) !== undefined) compared++;
    }),
    { runs: 40 },
  );
  assert.ok(compared > 0, "tcpdump compiled none of the expressions");
});

toolTest("pcap: tshark and capinfos read our pcapng without complaint, and show all of it", [
  "tshark",
  "capinfos",
], (path) => {
  const chunks: Uint8Array[] = [];
  const writer = new PcapWriter((chunk) => chunks.push(chunk.slice()), {
    wallClock: 1_700_000_000_000_000,
    interfaceName: "tap:tap0",
  });
  const request = echoRequest();
  writer.write(request, 0, request.length, 1, "in");
  writer.write(request, 0, request.length, 2, "out");
  writer.write(request, 0, request.length, 3_000_004, "in", "dropped: ip.wrongChecksum – für immer");
  writer.write(request, 0, request.length, 4_000_000);
  writer.end({ received: 2, dropped: 7 });
  Deno.writeFileSync(path, concat(...chunks));

  const fields = ["time_epoch", "packet_flags_direction", "comment", "len", "interface_name"];
  const shown = run(
    "tshark",
    "-r",
    path,
    "-T",
    "fields",
    ...fields.flatMap((name) => ["-e", `frame.${name}`]),
  );
  assert.deepEqual(complaints(shown.err), []);
  const rows = shown.out.trimEnd().split("\n").map((line) => line.split("\t"));
  const length = String(request.length);
  assert.deepEqual(rows.map((row) => [row[0], Number(row[1] || "0"), ...row.slice(2)]), [
    ["1700000000.000001000", 1, "", length, "tap:tap0"],
    ["1700000000.000002000", 2, "", length, "tap:tap0"],
    ["1700000003.000004000", 1, "dropped: ip.wrongChecksum – für immer", length, "tap:tap0"],
    ["1700000004.000000000", 0, "", length, "tap:tap0"],
  ]);
  const expert = run("tshark", "-r", path, "-q", "-z", "expert,warn");
  assert.deepEqual(complaints(expert.err), []);
  assert.doesNotMatch(expert.out, /Errors|Warn/);

  const { out, err } = run("capinfos", path);
  assert.deepEqual(complaints(err), []);
  assert.match(out, /File type: +Wireshark\/\.\.\. - pcapng/);
  assert.match(out, /File timestamp precision: +nanoseconds \(9\)/);
  assert.match(out, /Number of packets: +4/);
  assert.match(out, /Capture application: +ethox/);
  assert.match(out, /Number of stat entries = 1/);
});

toolTest(
  "pcap: tcpdump and capinfos read both of our formats without complaint",
  ["tcpdump", "capinfos"],
  (path) => {
    // Of an empty frame tcpdump prints no line.
    const frames = assorted().filter(({ length }) => length > 0);
    for (const bytes of [ng(numbered(frames)), classic(numbered(frames))]) {
      Deno.writeFileSync(path, bytes);
      const { out, err } = run("tcpdump", "-r", path, "-nn", "-tt", "--nano");
      assert.deepEqual(complaints(err), []);
      assert.equal(out.match(/^0\.\d{9} /gm)?.length, frames.length);
      assert.match(run("capinfos", path).out, new RegExp(`Number of packets: +${frames.length}\n`));
    }
  },
);

toolTest("pcap: what editcap makes of our captures reads as they do", ["editcap"], (path) => {
  const frames = assorted();
  const list = numbered(frames);
  for (const source of [ng(list), classic(list)]) {
    for (const format of ["pcap", "nsecpcap", "pcapng"]) {
      Deno.writeFileSync(path, source);
      run("editcap", "-F", format, path, `${path}.${format}`);
      const packets = [...readPcap(Deno.readFileSync(`${path}.${format}`))];
      assert.deepEqual(packets.map(({ bytes }) => bytes), frames);
      assert.deepEqual(packets.map(({ timestamp }) => timestamp), list.map(({ timestamp }) => timestamp));
    }
  }
});

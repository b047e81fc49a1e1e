import assert from "node:assert/strict";
import {
  BpfError,
  BpfProgram,
  External,
  filter,
  FilterCounters,
  type Instruction,
  matching,
} from "../../../mod.ts";
import { check as checkProgram } from "../../../nic/filter/check.ts";
import { Op } from "../../../nic/filter/instruction.ts";
import { parse } from "../../../nic/filter/parse.ts";
import { arpFrame, data, echoReply, echoRequest, ethernet, ipv4, read } from "../../support/frames.ts";
import { host } from "../../support/host.ts";
import { check, fc } from "../../support/property.ts";

/** tcpdump -y EN10MB -dd 'tcp port 80' */
const TCP_PORT_80 = `
  { 0x28, 0, 0, 0x0000000c },
  { 0x15, 0, 6, 0x000086dd },
  { 0x30, 0, 0, 0x00000014 },
  { 0x15, 0, 15, 0x00000006 },
  { 0x28, 0, 0, 0x00000036 },
  { 0x15, 12, 0, 0x00000050 },
  { 0x28, 0, 0, 0x00000038 },
  { 0x15, 10, 11, 0x00000050 },
  { 0x15, 0, 10, 0x00000800 },
  { 0x30, 0, 0, 0x00000017 },
  { 0x15, 0, 8, 0x00000006 },
  { 0x28, 0, 0, 0x00000014 },
  { 0x45, 6, 0, 0x00001fff },
  { 0xb1, 0, 0, 0x0000000e },
  { 0x48, 0, 0, 0x0000000e },
  { 0x15, 2, 0, 0x00000050 },
  { 0x48, 0, 0, 0x00000010 },
  { 0x15, 0, 1, 0x00000050 },
  { 0x6, 0, 0, 0x00040000 },
  { 0x6, 0, 0, 0x00000000 },
`;

/** tcpdump -y EN10MB -ddd arp */
const ARP = `4
40 0 0 12
21 0 1 2054
6 0 0 262144
6 0 0 0
`;

/** tcpdump -y RAW -dd icmp, for packets without a link header. */
const RAW_ICMP = `
  { 0x30, 0, 0, 0x00000000 },
  { 0x54, 0, 0, 0x000000f0 },
  { 0x15, 0, 3, 0x00000040 },
  { 0x30, 0, 0, 0x00000009 },
  { 0x15, 0, 1, 0x00000001 },
  { 0x6, 0, 0, 0x00040000 },
  { 0x6, 0, 0, 0x00000000 },
`;

function op(code: number, k: number = 0, jt: number = 0, jf: number = 0): Instruction {
  return { code, jt, jf, k };
}

const KEEP = op(Op.ReturnK, 0x40000), DROP = op(Op.ReturnK, 0), RETURN_A = op(Op.ReturnA);

function run(program: BpfProgram | readonly Instruction[], bytes: Uint8Array = new Uint8Array(0)): number {
  const machine = program instanceof BpfProgram ? program : new BpfProgram(program);
  // Bytes on either side, which no load may reach.
  const arena = new Uint8Array(bytes.length + 32).fill(0xaa);
  arena.set(bytes, 16);
  return machine.run(arena, 16, 16 + bytes.length) >>> 0;
}

/** A TCP segment, of which only the ports matter, behind an IP header of 20 bytes or more. */
function segment(source: number, destination: number, options: readonly number[] = []): Uint8Array {
  const header = Uint8Array.of(source >> 8, source, destination >> 8, destination, 0, 0, 0, 0);
  return ethernet(ipv4(header, { protocol: 6, options }));
}

Deno.test("filter: a program of tcpdump matches what it is for, by either port and behind IP options", () => {
  const program = new BpfProgram(TCP_PORT_80);
  assert.equal(program.length, 20);
  assert.equal(run(program, segment(80, 1_234)), 0x40000);
  assert.equal(run(program, segment(1_234, 80)), 0x40000);
  assert.equal(run(program, segment(1_234, 80, [1, 1, 1, 0])), 0x40000);
  for (const frame of [segment(81, 1_234), echoRequest(), arpFrame(), new Uint8Array(0)]) {
    assert.equal(run(program, frame), 0);
  }
});

Deno.test("filter: a frame cut off where the program reads is dropped, never read beyond", () => {
  const program = new BpfProgram(TCP_PORT_80);
  const frame = segment(1_234, 80);
  for (let length = 0; length <= frame.length; length++) {
    assert.equal(run(program, frame.subarray(0, length)) !== 0, length >= 14 + 20 + 4, `${length} bytes`);
  }
});

Deno.test("filter: the decimal form is read as the C form, and the program prints itself as the latter", () => {
  const program = new BpfProgram(ARP);
  assert.notEqual(run(program, arpFrame()), 0);
  assert.equal(run(program, echoRequest()), 0);
  assert.equal(new BpfProgram(program.toString()).toString(), program.toString());
  const byte = fc.nat(255);
  const whole = fc.record(
    { code: fc.nat(0xffff), jt: byte, jf: byte, k: fc.nat(0xffff_ffff) },
    { noNullPrototype: true },
  );
  check(fc.property(fc.array(whole, { minLength: 1, maxLength: 20 }), (list) => {
    const c = list.map(({ code, jt, jf, k }) => `{ 0x${code.toString(16)},${jt}, ${jf},${k} }`);
    const decimal = list.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`);
    assert.deepEqual(parse(c.join(", ")), list);
    assert.deepEqual(parse([list.length, ...decimal, ""].join("\n")), list);
  }));
});

Deno.test("filter: text that is no program is refused with its line", () => {
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["tcp port 80", /line 1: "tcp port 80" is no number/],
    ["{ 0x28, 0, 0, 12 },\n{ 6, 0, 0 },", /line 2: an instruction is four numbers/],
    ["{ 0x28, 0, 0, 12 },\n\n  x { 6, 0, 0, 0 },", /line 3: expected/],
    ["{ 0x28, 0, 0, 12", /line 1: expected/],
    ["{ 6, 0, 0, -1 }", /line 1: "-1" is no number/],
    ["{ 6, 0, 0, 0x100000000 }", /no number of 32 bits/],
    ["{ 6, 0, 0, 9999999999 }", /instruction 0: k must be .* 32 bits/],
    ["2\n6 0 0 0", /announces 2 instructions, but 1 follow/],
    ["1\n6 0 0", /line 2: an instruction is four numbers/],
    ["{6,0,0,0},".repeat(4_097), /more than 4096/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => new BpfProgram(text),
      (error) => error instanceof BpfError && message.test(error.message),
    );
  }
  check(
    fc.property(fc.string({ unit: fc.constantFrom(..."{}0x9, \n"), maxLength: 60 }), (text) => {
      try {
        parse(text);
      } catch (error) {
        assert.ok(error instanceof BpfError);
      }
    }),
    { runs: 1_000 },
  );
});

Deno.test("filter: every operation computes modulo 2^32, with K and with X", () => {
  const max = 0xffff_ffff, min = 0x8000_0000;
  const cases: [number, number, number, number][] = [
    [Op.AddK, max, 3, 2],
    [Op.SubK, 2, 3, max],
    [Op.MulK, 0x1_0001, 0x1_0001, 0x2_0001],
    [Op.MulK, max, max, 1],
    [Op.DivK, max, 2, 0x7fff_ffff],
    [Op.DivK, min, 1, min],
    [Op.DivK, 7, min, 0],
    [Op.ModK, max, 10, 5],
    [Op.ModK, max, min, 0x7fff_ffff],
    [Op.AndK, 0xf0f0_f0f0, 0xffff_0000, 0xf0f0_0000],
    [Op.OrK, min, 1, 0x8000_0001],
    [Op.XorK, max, 0xf, 0xffff_fff0],
    [Op.LshK, 3, 31, min],
    [Op.RshK, max, 31, 1],
    [Op.RshK, min, 0, min],
  ];
  for (const [code, a, b, result] of cases) {
    assert.equal(run([op(Op.LdConstant, a), op(code, b), RETURN_A]), result, `0x${code.toString(16)}`);
    const withX = [op(Op.LdConstant, a), op(Op.LdxConstant, b), op(code | 8), RETURN_A];
    assert.equal(run(withX), result, `0x${(code | 8).toString(16)}`);
  }
  assert.equal(run([op(Op.LdConstant, 1), op(Op.Neg), RETURN_A]), max);
  assert.equal(run([op(Op.LdConstant, min), op(Op.Neg), RETURN_A]), min);
});

Deno.test("filter: division by X = 0 drops, shifts by X count the lower five bits, as on Linux", () => {
  for (const code of [Op.DivX, Op.ModX]) {
    assert.equal(run([op(Op.LdConstant, 9), op(Op.LdxConstant, 0), op(code), KEEP]), 0);
  }
  assert.equal(run([op(Op.LdConstant, 1), op(Op.LdxConstant, 33), op(Op.LshX), RETURN_A]), 2);
  assert.equal(run([op(Op.LdConstant, 4), op(Op.LdxConstant, 33), op(Op.RshX), RETURN_A]), 2);
});

Deno.test("filter: comparisons are unsigned, and either way is taken", () => {
  const big = 0xffff_fff0;
  const cases: [number, number, number, boolean][] = [
    [Op.EqualK, big, big, true],
    [Op.EqualK, big, 1, false],
    [Op.GreaterK, big, 1, true],
    [Op.GreaterK, 1, big, false],
    [Op.GreaterK, 1, 1, false],
    [Op.GreaterEqualK, big, big, true],
    [Op.GreaterEqualK, 1, big, false],
    [Op.SetK, big, 0x8000_0000, true],
    [Op.SetK, big, 0xf, false],
  ];
  for (const [code, a, b, holds] of cases) {
    const message = `0x${code.toString(16)} ${a} ${b}`;
    assert.equal(run([op(Op.LdConstant, a), op(code, b, 0, 1), KEEP, DROP]) !== 0, holds, message);
    assert.equal(run([op(Op.LdConstant, a), op(code, b, 1, 0), DROP, KEEP]) !== 0, holds, message);
    const withX = [op(Op.LdConstant, a), op(Op.LdxConstant, b), op(code | 8, 0, 0, 1), KEEP, DROP];
    assert.equal(run(withX) !== 0, holds, message);
  }
  assert.equal(run([op(Op.Jump, 1), DROP, KEEP]), 0x40000);
});

Deno.test("filter: loads are big endian, and one beyond the end drops", () => {
  const bytes = Uint8Array.of(0x81, 0x82, 0x83, 0x84, 0x85, 0x46);
  for (const [code, size] of [[Op.LdAbsWord, 4], [Op.LdAbsHalf, 2], [Op.LdAbsByte, 1]] as const) {
    const indexed = code + 0x20;
    const last = bytes.length - size;
    const expected = parseInt(bytes.subarray(last).toHex(), 16);
    assert.equal(run([op(code, last), RETURN_A], bytes), expected);
    assert.equal(run([op(Op.LdxConstant, last - 1), op(indexed, 1), RETURN_A], bytes), expected);
    // X and K are words, and so is their sum.
    assert.equal(run([op(Op.LdxConstant, 0xffff_ffff), op(indexed, last + 1), RETURN_A], bytes), expected);
    for (const beyond of [last + 1, 0x7fff_ffff]) {
      assert.equal(run([op(code, beyond), KEEP], bytes), 0);
      assert.equal(run([op(Op.LdxConstant, beyond - 1), op(indexed, 1), KEEP], bytes), 0);
    }
    for (const x of [0x8000_0000, 0xffff_fffe]) {
      assert.equal(run([op(Op.LdxConstant, x), op(indexed, 1), KEEP], bytes), 0);
    }
  }
  const headerLength = [op(Op.LdxHeaderLength, 5), op(Op.Txa), RETURN_A];
  assert.equal(run(headerLength, bytes), 24);
  assert.equal(run(headerLength, bytes.subarray(0, 5)), 0);
});

Deno.test("filter: lengths, registers and memory", () => {
  assert.equal(run([op(Op.LdLength), RETURN_A], data(77)), 77);
  assert.equal(run([op(Op.LdxLength), op(Op.Txa), RETURN_A], data(78)), 78);
  const swap = [
    op(Op.LdConstant, 5),
    op(Op.Store, 15),
    op(Op.LdxConstant, 9),
    op(Op.StoreX, 0),
    op(Op.LdMemory, 0),
    op(Op.LdxMemory, 15),
    op(Op.LshK, 8),
    op(Op.OrX),
    op(Op.Tax),
    op(Op.LdConstant, 0),
    op(Op.Txa),
    RETURN_A,
  ];
  assert.equal(run(swap), 0x905);
});

Deno.test("filter: what Linux refuses is refused, with the instruction at fault", () => {
  const fill = (count: number) => Array.from({ length: count }, () => op(Op.LdConstant));
  const cases: [readonly Instruction[], RegExp][] = [
    [[], /1 to 4096 instructions, not 0/],
    [[...fill(4_096), KEEP], /not 4097/],
    [[op(0x08), KEEP], /instruction 0: 0x08 is no operation/],
    [[op(0x0e), KEEP], /0x0e is no operation/],
    [[op(Op.LdConstant)], /instruction 0: the last instruction must be a return/],
    [[op(Op.Jump, 1), KEEP], /instruction 0: jumps over 1 instructions, but only 1 follow/],
    [[op(Op.Jump, 0xffff_ffff), KEEP], /jumps backwards by 1; a program that could loop/],
    [[op(Op.EqualK, 0, 1, 0), KEEP], /jumps over 1/],
    [[op(Op.EqualK, 0, 0, 255), KEEP], /jumps over 255/],
    [[op(Op.DivK, 0), KEEP], /divides by zero/],
    [[op(Op.ModK, 0), KEEP], /divides by zero/],
    [[op(Op.LshK, 32), KEEP], /shifts by 32/],
    [[op(Op.RshK, 0xffff_ffff), KEEP], /shifts by 4294967295/],
    [[op(Op.Store, 16), KEEP], /M\[16\]/],
    [[KEEP, op(Op.LdMemory, 3), KEEP], /instruction 1: loads M\[3\], which is not stored on every way/],
    [[op(Op.EqualK, 0, 0, 1), op(Op.Store, 3), op(Op.LdxMemory, 3), KEEP], /instruction 2: loads M\[3\]/],
    [[op(Op.Jump, 1), op(Op.Store, 3), op(Op.LdMemory, 3), KEEP], /instruction 2: loads M\[3\]/],
    [[op(Op.LdAbsHalf, 0xffff_f004), KEEP], /loads Linux's PKTTYPE/],
    [[op(Op.LdAbsByte, -4_048), KEEP], /loads Linux's VLAN_TAG_PRESENT/],
    [[op(Op.LdAbsWord, -0x20_0000), KEEP], /loads from offset -2097152/],
    [[op(Op.LdxHeaderLength, -1), KEEP], /offset -1/],
    [[op(Op.LdConstant, 2 ** 32), KEEP], /k must be a whole number of 32 bits/],
    [[op(Op.LdConstant, 0.5), KEEP], /k must be/],
    [[op(Op.EqualK, 0, 256, 0), KEEP], /jt must be a whole number of 8 bits/],
    [[op(Op.EqualK, 0, 0, NaN), KEEP], /jf must be/],
    [[op(0x1_0006), KEEP], /operation must be a whole number of 16 bits/],
  ];
  for (const [program, message] of cases) {
    assert.throws(() => new BpfProgram(program), (error) => {
      assert.ok(error instanceof BpfError);
      assert.match(error.message, message);
      assert.equal(error.instruction !== undefined, error.message.startsWith("instruction "));
      return true;
    });
  }
  const both = [
    op(Op.EqualK, 0, 0, 2),
    op(Op.Store, 3),
    op(Op.Jump, 1),
    op(Op.StoreX, 3),
    op(Op.LdMemory, 3),
  ];
  assert.equal(checkProgram([...both, KEEP]), undefined);
  assert.equal(checkProgram([...fill(4_095), KEEP]), undefined);
});

Deno.test("filter: any program that is accepted ends, over any bytes", () => {
  const codes = Object.values(Op);
  const k = fc.oneof(fc.nat(40), fc.nat(0xffff_ffff));
  const one = fc.record({ code: fc.constantFrom(...codes), jt: fc.nat(3), jf: fc.nat(3), k });
  let accepted = 0;
  check(
    fc.property(fc.array(one, { maxLength: 12 }), fc.uint8Array({ maxLength: 64 }), (list, bytes) => {
      const program = [...list, KEEP, DROP, KEEP, DROP];
      if (checkProgram(program) !== undefined) return;
      accepted++;
      assert.ok(Number.isInteger(run(program, bytes)));
    }),
    { runs: 3_000 },
  );
  assert.ok(accepted > 300, `only ${accepted} programs were run`);
});

Deno.test("filter: a NIC behind a filter hands on what matches, counts the rest and sends everything", () => {
  const inside = host();
  const nic = filter(inside.nic, new BpfProgram(ARP));
  inside.nic.inject(arpFrame());
  inside.nic.inject(echoRequest());
  assert.equal(nic.rx(64, inside.receiver), 2, "the NIC had two frames");
  assert.deepEqual({ ...nic.filterCounters }, { passed: 1, filtered: 1 });
  assert.equal(inside.eth.counters.received, 1);
  assert.equal(nic.counters.received, 2);
  assert.equal(read(inside.nic.take()).etherType, 0x0806);
  assert.equal(inside.nic.take(), undefined);
  nic.tx(1, { send: (slot) => void (slot.frame.resize(60) && slot.queue()) });
  assert.equal(inside.nic.take()?.length, 60);
});

Deno.test("filter: over IP, a program for raw IP sees the packet from its header on", () => {
  const counters = new FilterCounters();
  const program = new BpfProgram(RAW_ICMP);
  const inside = host({
    receive: ({ icmp }) => matching(program, icmp.answer(), (packet) => packet.headerAt, counters),
  });
  inside.nic.inject(echoRequest());
  inside.nic.inject(segment(1, 80));
  inside.nic.rx(64, inside.receiver);
  assert.deepEqual({ ...counters }, { passed: 1, filtered: 1 });
  assert.equal(inside.icmp.counters.otherProtocol, 0);
  assert.deepEqual(read(inside.nic.take()).icmp, read(echoReply()).icmp);
});

Deno.test("filter: over the NIC itself, `matching` sees the whole frame", () => {
  const nic = new External();
  const lengths: number[] = [];
  const receive = matching(new BpfProgram(ARP), { receive: (slot) => lengths.push(slot.frame.length) });
  nic.inject(arpFrame({}, { padTo: 46 }));
  nic.inject(echoRequest());
  nic.rx(64, receive);
  assert.deepEqual(lengths, [60]);
});

Deno.test("filter: an indirect load from where Linux has its headers is refused, one before X is not", () => {
  const program = (k: number) => [op(Op.LdxConstant, 4), op(Op.LdIndByte, k), RETURN_A];
  for (const k of [0xfff0_0000, 0xfff0_000c, 0xffe0_0000, -0x20_0000]) {
    assert.throws(
      () => new BpfProgram(program(k)),
      (error) => error instanceof BpfError && /^instruction 1: .*only Linux has/.test(error.message),
    );
  }
  assert.equal(run(program(-3), Uint8Array.of(1, 2, 3)), 2);
});

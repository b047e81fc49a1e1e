import { deepEqual, equal, ok } from "node:assert/strict";
import { BpfProgram } from "../../../nic/filter/program.ts";
import { seccompFilter } from "../../../nic/linux/seccomp-filter.ts";

const ALLOW = 0x7fff0000, REFUSE = 0x00050001;

/** What the program says of a call. The interpreter reads big endian, as of a frame; the kernel as the machine does. */
function verdict(arch: string, audit: number, number: number, argument: number = 0): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number);
  data.setUint32(4, audit);
  data.setUint32(16, argument);
  return new BpfProgram(seccompFilter(arch)!).run(new Uint8Array(data.buffer), 0, 64) >>> 0;
}

const X86 = 0xc000003e, ARM = 0xc00000b7;

Deno.test("seccomp: what a host with an open NIC needs is allowed", () => {
  // read, write, poll, mmap, mprotect, clone, sendmmsg, futex, exit_group
  for (const number of [0, 1, 7, 9, 10, 56, 307, 202, 231]) {
    equal(verdict("x86_64", X86, number), ALLOW, `${number}`);
  }
  for (const number of [63, 64, 73, 222, 226, 220, 269, 98, 94]) {
    equal(verdict("aarch64", ARM, number), ALLOW, `${number}`);
  }
});

Deno.test("seccomp: what starts programs, changes the kernel or the machine, or looks into others is refused", () => {
  // execve, ptrace, mount, setns, init_module, reboot, kexec_load, perf_event_open
  for (const number of [59, 101, 165, 308, 175, 169, 246, 298]) {
    equal(verdict("x86_64", X86, number), REFUSE, `${number}`);
  }
  for (const number of [221, 117, 40, 268, 105, 142, 104, 241]) {
    equal(verdict("aarch64", ARM, number), REFUSE, `${number}`);
  }
});

Deno.test("seccomp: of bpf only changing what is in a map is left", () => {
  const commands = Array.from({ length: 38 }, (_, command) => command);
  for (const [arch, audit, number] of [["x86_64", X86, 321], ["aarch64", ARM, 280]] as const) {
    deepEqual(commands.filter((command) => verdict(arch, audit, number, command) === ALLOW), [2, 3]);
  }
});

Deno.test("seccomp: calls of another ABI, whose numbers mean something else, are refused", () => {
  equal(verdict("x86_64", 0x40000003, 1), REFUSE, "i386");
  equal(verdict("x86_64", X86, 0x40000000 + 1), REFUSE, "x32");
  equal(verdict("aarch64", X86, 64), REFUSE);
});

Deno.test("seccomp: an architecture without a list has no program", () => {
  equal(seccompFilter("riscv64"), undefined);
  equal(seccompFilter("toString"), undefined);
  ok(seccompFilter("x86_64")!.length < 100);
});

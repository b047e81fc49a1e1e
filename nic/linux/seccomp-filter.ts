/**
 * The seccomp program of a confined process (seccomp(2)): a list of the system calls that a network stack with an open
 * NIC has no use for, and somebody who has got into it would have.
 *
 * @module
 */
import { type Instruction, Op } from "../filter/instruction.ts";

/** Offsets in `struct seccomp_data { int nr; u32 arch; u64 instruction_pointer, args[6]; }`. */
const NUMBER = 0, ARCHITECTURE = 4, FIRST_ARGUMENT = 16;

const ALLOW = 0x7fff_0000, REFUSE = 0x0005_0001;

/** From here on numbers of x86-64 are those of another ABI, x32. */
const X32 = 0x4000_0000;

/** Commands of bpf(2) that change what is in a map: an AF_XDP NIC follows its host's addresses with them. */
const BPF_MAP_UPDATE = 2, BPF_MAP_DELETE = 3;

interface Architecture {
  /** AUDIT_ARCH_... */
  readonly audit: number;
  readonly bpf: number;
  readonly refused: readonly number[];
}

/** Numbers of calls that are the same everywhere: open_tree to fspick, mount_setattr. */
const NEW_MOUNTS = [428, 429, 430, 431, 432, 433, 442];

/**
 * execve and execveat, ptrace, process_vm_readv and -writev; mount, umount2, pivot_root, chroot, open_by_handle_at;
 * unshare, setns; init_module, finit_module, delete_module, kexec_load, kexec_file_load, reboot; swapon, swapoff, acct,
 * settimeofday, clock_settime, sethostname, setdomainname; add_key, request_key, keyctl; perf_event_open, userfaultfd;
 * on x86 iopl and ioperm.
 */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x86_64: {
    audit: 0xc000_003e,
    bpf: 321,
    // deno-fmt-ignore
    refused: [
      59, 322, 101, 310, 311, 165, 166, 155, 161, 304, 272, 308, 175, 313, 176, 246, 320, 169, 167, 168, 163,
      164, 227, 170, 171, 248, 249, 250, 298, 323, 172, 173, ...NEW_MOUNTS,
    ],
  },
  aarch64: {
    audit: 0xc000_00b7,
    bpf: 280,
    // deno-fmt-ignore
    refused: [
      221, 281, 117, 270, 271, 40, 39, 41, 51, 265, 97, 268, 105, 273, 106, 104, 294, 142, 224, 225, 89,
      170, 112, 161, 162, 217, 218, 219, 241, 282, ...NEW_MOUNTS,
    ],
  },
};

/** The program for an architecture; undefined: there is none. What it refuses answers EPERM. */
export function seccompFilter(arch: string): readonly Instruction[] | undefined {
  const architecture = Object.hasOwn(ARCHITECTURES, arch) ? ARCHITECTURES[arch] : undefined;
  if (architecture === undefined) return undefined;
  const { audit, bpf, refused } = architecture;
  const allow: Instruction = { code: Op.ReturnK, jt: 0, jf: 0, k: ALLOW };
  const refuse: Instruction = { code: Op.ReturnK, jt: 0, jf: 0, k: REFUSE };
  return [
    load(ARCHITECTURE),
    equal(audit, 1, 0),
    refuse,
    load(NUMBER),
    { code: Op.GreaterEqualK, jt: 0, jf: 1, k: X32 },
    refuse,
    ...refused.flatMap((number) => [equal(number, 0, 1), refuse]),
    equal(bpf, 1, 0),
    allow,
    load(FIRST_ARGUMENT),
    equal(BPF_MAP_UPDATE, 1, 0),
    equal(BPF_MAP_DELETE, 0, 1),
    allow,
    refuse,
  ];
}

function load(offset: number): Instruction {
  return { code: Op.LdAbsWord, jt: 0, jf: 0, k: offset };
}

function equal(k: number, jt: number, jf: number): Instruction {
  return { code: Op.EqualK, jt, jf, k };
}

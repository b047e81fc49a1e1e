/** Readers of what people write behind options: they answer with the value, or throw a {@linkcode UsageError}. */
import {
  Address,
  BpfProgram,
  Cidr,
  findUser,
  type Instant,
  type LinkFaults,
  Mac,
  type NicSpec,
  parseFaults,
  parseNicSpec,
  type User,
} from "../../mod.ts";
import { checkHostAddress } from "../host-address.ts";
import { messageOf, UsageError } from "./errors.ts";
import { fileProblem } from "./files.ts";

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3_600e6 };

/** setTimeout's longest time: 24 days. */
const LONGEST: Instant = 0x7fffffff * 1_000;

/** A length of time such as 500ms, 2s, 1.5m. */
export function duration(option: string, shortest: Instant = 0): (text: string) => Instant {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)(us|ms|s|m|h)$/.exec(text);
    const time = match === null ? NaN : Math.round(Number(match[1]) * UNITS[match[2]!]!);
    if (Number.isNaN(time)) {
      throw new UsageError(
        `${option}: "${text}" is no length of time; write a number and us, ms, s, m or h, as in 500ms`,
      );
    }
    if (time < shortest || time > LONGEST) {
      const from = shortest === 0 ? "0s" : `${shortest / 1_000}ms`;
      throw new UsageError(`${option}: "${text}" is out of range; allowed is ${from} to 500h`);
    }
    return time;
  };
}

/** A whole number from `least` to `most`. */
export function count(option: string, least: number = 1, most: number = 1e9): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(number >= least && number <= most)) {
      throw new UsageError(
        `${option}: "${text}" is not allowed; write a whole number from ${least} to ${most}`,
      );
    }
    return number;
  };
}

/** An own address with its subnet, or where it is to be had from. */
export type OwnAddress = Cidr | "dhcp" | "slaac" | "link-local";

const WORDS = ["dhcp", "slaac", "link-local"] as const;

/** One more own address. */
export function ownAddress(
  text: string,
  previous: readonly OwnAddress[] | undefined,
): readonly OwnAddress[] {
  const word = WORDS.find((word) => word === text);
  if (word !== undefined) return [...(previous ?? []).filter((other) => other !== word), word];
  const allowed = "write ADDRESS/PREFIX, as in 10.0.0.1/24 or 2001:db8::1/64, dhcp, slaac or link-local";
  const cidr = checked("--addr", () => Cidr.parse(text), allowed);
  checked("--addr", () => checkHostAddress(cidr), "write ADDRESS/PREFIX, as in 10.0.0.1/24");
  return [...previous ?? [], cidr];
}

/** One more gateway. */
export function gateway(text: string, previous: readonly Address[] | undefined): readonly Address[] {
  return [...previous ?? [], hostAddress("--gateway", text)];
}

/** The address of one host. */
export function hostAddress(what: string, text: string): Address {
  const address = checked(
    what,
    () => Address.parse(text),
    "write an IP address, as in 10.0.0.2 or 2001:db8::2",
  );
  if (address.isUnicast && !address.isLoopback) return address;
  throw new UsageError(`${what}: ${address} is no address of a host on a network; write one, as in 10.0.0.2`);
}

/** The address of one station. */
export function mac(text: string): Mac {
  const parsed = checked("--mac", () => Mac.parse(text), "write six pairs of hexadecimal digits");
  if (parsed.isUnicast) return parsed;
  throw new UsageError(
    `--mac: ${parsed} is no station's address; write a unicast one, as in 02:00:00:00:00:01`,
  );
}

/** A user of this machine. */
export function user(text: string): User {
  try {
    return findUser(text);
  } catch (error) {
    throw new UsageError(`--user: ${messageOf(error)}`);
  }
}

/** A NIC. */
export function nic(text: string): NicSpec {
  try {
    return parseNicSpec(text);
  } catch (error) {
    // What is wrong with an interface's name begins with that name, which may be empty.
    const problem = messageOf(error).replace(/^[^ ]*: (?=".*" is no name)/, "");
    throw new UsageError(`--nic: ${problem.startsWith(`"${text}"`) ? problem : `"${text}": ${problem}`}`);
  }
}

/** Faults of the wire. */
export function faults(text: string): LinkFaults {
  try {
    return parseFaults(text);
  } catch (error) {
    throw new UsageError(`--fault: ${messageOf(error)}`);
  }
}

/** The name of a file to write. */
export function outputFile(text: string): string {
  if (text !== "" && text !== "-") return text;
  throw new UsageError(
    `--pcap: "${text}" is no file, and stdout is taken; write a file's name, as in out.pcapng`,
  );
}

/** No program of 4,096 instructions is longer, however much space is between them. */
const PROGRAM_MAX = 1 << 20;

/** The filter program in a file. */
export function filterFile(path: string): BpfProgram {
  let text: string;
  try {
    text = readStart(path, PROGRAM_MAX + 1);
  } catch (error) {
    throw new UsageError(`--filter: ${path} cannot be read: ${fileProblem(error)}`);
  }
  if (text.length > PROGRAM_MAX) {
    throw new UsageError(`--filter: ${path} has more than ${PROGRAM_MAX} bytes; no program has`);
  }
  try {
    return new BpfProgram(text);
  } catch (error) {
    throw new UsageError(
      `--filter: ${path}: ${messageOf(error)}; write one with: tcpdump -y EN10MB -dd EXPRESSION`,
    );
  }
}

/** At most so many bytes of a file, which may have no end. A character stands for each byte. */
function readStart(path: string, most: number): string {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(most);
  let length = 0;
  for (let count: number | null = 1; count && length < most; length += count ?? 0) {
    count = file.readSync(bytes.subarray(length));
  }
  return new TextDecoder("latin1").decode(bytes.subarray(0, length));
}

/** What `read` answers, or its complaint with where it arose and, unless it says so itself, what is allowed. */
function checked<T>(where: string, read: () => T, allowed: string): T {
  try {
    return read();
  } catch (error) {
    const complaint = messageOf(error);
    throw new UsageError(
      `${where}: ${complaint.includes("write ") ? complaint : `${complaint}; ${allowed}`}`,
    );
  }
}

/** A host's own name: one label (RFC 1123 2.1). */
export function hostname(text: string): string {
  if (/^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(text)) return text;
  throw new UsageError(
    `--hostname: "${text}" is no host's name; write up to 63 letters, digits and inner hyphens, as in box-1`,
  );
}

/** One more DNS server. */
export function dnsServer(text: string, previous: readonly Address[] | undefined): readonly Address[] {
  return [...previous ?? [], hostAddress("--dns", text)];
}

/** A host by its address or its name. */
export type HostName = Address | string;

/** The name as DNS has it (RFC 5890 2.3.2.1); what is none is answered as it is. */
export function asciiName(text: string): string {
  if (/^\p{ASCII}*$/u.test(text) || /[/?#@:\\]/.test(text)) return text;
  return URL.parse(`http://${text}`)?.hostname ?? text;
}

/** The address or the name of one host. */
export function host(what: string, text: string): HostName {
  if (/^[\d.]+$/.test(text) || text.includes(":")) return hostAddress(what, text);
  const name = asciiName(text);
  if (name.length <= 253 && /^(?!-)[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(name)) return name;
  throw new UsageError(`${what}: "${text}" is neither an address nor a name; write one, as in 10.0.0.2`);
}

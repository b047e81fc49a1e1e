/** The options that several commands share. A command takes those that it honours. */
import { CONGESTION_CONTROLS, FAULT_PARTS, NIC_SPECS } from "../../mod.ts";
import { Option } from "./commander.ts";
import { table } from "./format.ts";
import * as parse from "./parse.ts";

/** The NIC to use. */
export const nic = new Option("--nic <spec>", `the NIC: ${NIC_SPECS.map(({ form }) => form).join(", ")}`)
  .argParser(parse.nic)
  .default({ kind: "tap", name: "tap0" } as const, "tap:tap0");

/** The forms of --nic and their options, for the help. */
export function nicHelp(): string {
  const rows = NIC_SPECS.flatMap(({ form, meaning, options }) => [
    [`  ${form}`, meaning],
    ...options.map((option) => [`    ,${option.form}`, option.meaning]),
  ]);
  return `
NICs, with options behind commas:
${table(rows).join("\n")}
`;
}

/** The own addresses. */
export const addr = new Option(
  "--addr <cidr>",
  "an own address with its prefix, dhcp, slaac or link-local; may be repeated (link:: 10.0.0.1/24)",
)
  .argParser(parse.ownAddress);

/** Default routes. */
export const gateway = new Option("--gateway <ip>", "a router to other networks; may be repeated")
  .argParser(parse.gateway);

/** The own hardware address. */
export const mac = new Option(
  "--mac <mac>",
  "the own hardware address (default: a local one, made of the NIC's name)",
)
  .argParser(parse.mac);

/** The VLAN. */
export const vlan = new Option(
  "--vlan <id>",
  "be in this VLAN only: send tagged frames, take those of it (802.1Q)",
)
  .argParser(parse.count("--vlan", 1, 4_094));

/** Looking before using. */
export const detectConflicts = new Option(
  "--detect-conflicts",
  "look whether others have the addresses before using them, which takes some seconds",
);

/** Addresses for a while. */
export const temporary = new Option(
  "--temporary",
  "with --addr slaac: have temporary addresses, too, and send from those (RFC 8981)",
);
/** One family alone. */
export const ipv4 = new Option("-4, --ipv4", "over IPv4 only").conflicts("ipv6");
/** The other one. */
export const ipv6 = new Option("-6, --ipv6", "over IPv6 only").conflicts("ipv4");

/** DNS servers. */
export const dns = new Option(
  "--dns <ip>",
  "a DNS server to ask for names; may be repeated (default: those of DHCP, or of routers, or of /etc/resolv.conf)",
)
  .argParser(parse.dnsServer);

/** The own name. */
export const hostname = new Option(
  "--hostname <name>",
  "the own name, one label: a DHCP server is told, and NAME.local answered for",
)
  .argParser(parse.hostname);

/** One JSON object a line. */
export const json = new Option("--json", "write one JSON object a line; the first is the ready event");

/** Each packet in one line. */
export const verbose = new Option("-v, --verbose", "show every packet").conflicts("quiet");

/** An end after some time. */
export const duration = new Option("-d, --duration <time>", "stop after this time, such as 500ms, 2s or 1m")
  .argParser(parse.duration("--duration", 1_000));

/** How TCP finds out how much a path takes. */
export const congestion = new Option(
  "--congestion <name>",
  "TCP's congestion control: cubic takes losses for congestion, cubic+ only those with a queue or many others beside them, bbr follows a model of the path (default: what the kernel uses here, else cubic)",
)
  .choices(CONGESTION_CONTROLS);

/** Faults of the wire. */
export const fault = new Option(
  "--fault <spec>",
  "what goes wrong on the wire, such as loss=1%,delay=5ms,seed=1",
)
  .argParser(parse.faults);

/** The parts of --fault, for the help. */
export function faultHelp(): string {
  const rows = FAULT_PARTS.map(({ form, meaning }) => [`  ${form}`, meaning]);
  return `
Faults, with commas between; behind in. only for received frames, behind out. only for sent ones:
${table(rows).join("\n")}
`;
}

/** A capture file. */
export const pcap = new Option("--pcap <file>", "write everything in and out to a file, as pcapng")
  .argParser(parse.outputFile);

/** A receive filter. */
export const filter = new Option(
  "--filter <file>",
  "take only frames that a BPF program matches, as tcpdump -dd prints it",
).argParser(parse.filterFile);

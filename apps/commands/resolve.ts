/** `ethox resolve`: asks a DNS server, as dig does. */
import { Address, type DnsAnswer, DnsSection, DnsType, reverseName, type Stack } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { CliError, ExitStatus, UsageError } from "../cli/errors.ts";
import { milliseconds, table } from "../cli/format.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { interruptible } from "../cli/stop.ts";
import { reason } from "../lookup.ts";
import { codeName, dataText, flagNames, recordCells, recordJson, typeName } from "../resolve/format.ts";
import { nameServers } from "../name-servers.ts";
import { openStack } from "../stack.ts";
import { openStation } from "../station.ts";

/** Types that can be asked for. */
const TYPES = Object.keys(DnsType).filter((name) => name !== "OPT" && name !== "NSEC");

const HELP = `
TYPE is one of ${
  TYPES.join(", ")
}, or a number. @SERVER may stand anywhere, as with dig, and means --dns SERVER.
The exit status is 0 if there are such records, 1 if there are none or nobody answers.

Examples:
  ethox resolve example.com --addr dhcp                        the addresses, as DHCP's DNS server knows them
  ethox resolve example.com MX @10.0.0.2 --addr 10.0.0.1/24    mail exchanges, asked of the kernel's side of tap0
  ethox resolve 192.0.2.1 --addr dhcp --short                  the name of an address, and nothing else
`;

/** Adds the command. */
export function addResolve(program: Command, context: Context): void {
  program.command("resolve")
    .description("ask a DNS server for the records of a name")
    .argument("<name>", "the name, or an address, whose name is asked for then")
    .argument("[type]", "the type of records (default: A, AAAA where there is only IPv6, PTR for an address)")
    .argument("[server]", "a DNS server, as @IP")
    .addOption(options.dns)
    .addOption(
      new Option("--port <n>", "the DNS server's port").argParser(parse.count("--port", 1, 65_535)).default(
        53,
      ),
    )
    .addOption(new Option("--short", "print the data only, one record a line"))
    .addOption(new Option("--search", "look short names up in the domains that DHCP names, too"))
    .addOption(
      new Option("-W, --timeout <time>", "give up after this time").argParser(
        parse.duration("--timeout", 1_000),
      ),
    )
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.gateway)
    .addOption(options.mac)
    .addOption(options.fault)
    .addOption(options.pcap)
    .addOption(options.json)
    .addHelpText("after", HELP)
    .action(async (first, second, third, given) => {
      const output = new Output(context.io, { ...given, quiet: given.short === true });
      const { name, type: wanted, servers: named } = readArguments([first, second, third], given.dns);
      const servers = nameServers({ ...given, dns: named });
      if (
        servers.length === 0 && given.addr?.includes("dhcp") !== true &&
        given.addr?.includes("slaac") !== true
      ) {
        throw new UsageError(
          "resolve: no DNS server is known; name one, as in --dns 10.0.0.2, or take --addr dhcp",
        );
      }
      if (servers.length !== 1 && given.port !== 53) {
        throw new UsageError("--port: it is one server's; name that one with --dns");
      }
      const { nic, addr, gateway, mac, fault, pcap } = given;
      const station = openStation({ nic, addr, gateway, mac, fault, pcap }, output);
      await interruptible(context.io, given.timeout, async (stop) => {
        await station.lend(stop.signal, output, async (lent) => {
          await using stack = await openStack(station, lent, { gateway, dns: servers }, stop.signal);
          output.event("ready", { ...station.describe(), addresses: [...stack.addresses].map(String) });
          const hasV4 = [...stack.addresses].some(({ address }) => address.isV4);
          const type = wanted ?? (hasV4 ? DnsType.A : DnsType.AAAA);
          const started = stack.nic.now();
          const nameServer = servers[0] === undefined
            ? {}
            : { nameServer: { ipAddr: String(servers[0]), port: given.port } };
          const answer = await stack.query(name, type, {
            ...(given.port !== 53 ? nameServer : {}),
            signal: stop.signal,
            search: given.search === true,
          });
          show(output, stack, answer, type, stack.nic.now() - started);
          if (answer.status !== "found") context.status = ExitStatus.Failed;
        });
      }).catch((error) => {
        if (error === "duration") throw new CliError(ExitStatus.Failed, `${name}: no answer in time`);
        if (error === "interrupted") throw new CliError(ExitStatus.Interrupted, "interrupted");
        throw error;
      });
    });
}

/** The arguments in dig's order, which is any. */
function readArguments(
  given: readonly (string | undefined)[],
  dns: readonly Address[] | undefined,
): { name: string; type: number | undefined; servers: readonly Address[] } {
  const texts = given.filter((text) => text !== undefined);
  const servers = texts.filter((text) => text.startsWith("@")).map((text) =>
    parse.hostAddress("@SERVER", text.slice(1))
  );
  const [text = "", type, rest] = texts.filter((one) => !one.startsWith("@"));
  if (rest !== undefined) throw new UsageError(`resolve: "${rest}" is one argument too many`);
  const address = Address.tryParse(text);
  if (address !== undefined) {
    return {
      name: reverseName(String(address)),
      type: readType(type) ?? DnsType.PTR,
      servers: [...servers, ...dns ?? []],
    };
  }
  // RFC 6762 16: multicast DNS has names in UTF-8.
  const isLocal = /\.local\.?$/i.test(text);
  const name = isLocal ? text : parse.asciiName(text);
  const isForeign = !isLocal && !/^\p{ASCII}*$/u.test(name);
  if (name === "" || isForeign || /\.\.|^\.[^]/.test(name) || name.length > 254 || /[^.]{64}/.test(name)) {
    throw new UsageError(`NAME: "${text}" is no name; write one, as in example.com`);
  }
  return { name, type: readType(type), servers: [...servers, ...dns ?? []] };
}

function readType(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const known = Object.entries(DnsType).find(([name]) => name === text.toUpperCase() && TYPES.includes(name));
  const number = known?.[1] ?? (/^(TYPE)?\d{1,5}$/i.test(text) ? Number(text.replace(/^type/i, "")) : NaN);
  if (number >= 1 && number <= 0xffff) return number;
  throw new UsageError(`TYPE: "${text}" is no type of records; allowed is ${TYPES.join(", ")}, or a number`);
}

function show(output: Output, stack: Stack, answer: DnsAnswer, type: number, time: number): void {
  const { status, question, records, all, flags, server } = answer;
  const isAnswered = flags !== 0;
  output.event("answer", {
    status,
    question,
    type: typeName(type),
    records: records.map(recordJson),
    ...(isAnswered && { all: all.map(recordJson), flags: flagNames(flags), code: codeName(flags) }),
    ...(server !== undefined && { server: String(server) }),
    timeMs: time / 1_000,
  });
  if (output.json) return;
  if (!output.human) return records.forEach(({ data }) => output.result(dataText(data)));
  output.line(`;; status: ${isAnswered ? `${codeName(flags)}, flags: ${flagNames(flags)}` : status}`);
  output.line(`;${question}. IN ${typeName(type)}`);
  const sections = [[DnsSection.Answer, "ANSWER"], [DnsSection.Authority, "AUTHORITY"], [
    DnsSection.Additional,
    "ADDITIONAL",
  ]] as const;
  for (const [section, title] of sections) {
    const rows = all.filter((record) => record.section === section).map(recordCells);
    if (rows.length === 0) continue;
    output.line();
    output.line(`;; ${title}:`);
    for (const row of table(rows)) output.line(row);
  }
  output.line();
  const from = server === undefined ? "" : ` from ${server}`;
  output.line(
    `;; ${milliseconds(time)} ms${from}${status === "found" ? "" : `: ${reason([answer], stack.resolver)}`}`,
  );
}

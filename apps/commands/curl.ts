/** `ethox curl`: fetches a URL over our own TCP. */
import type { Instant } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { CliError, ExitStatus, UsageError } from "../cli/errors.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { interruptible, type StopReason } from "../cli/stop.ts";
import { CurlError, CurlStatus } from "../curl/failure.ts";
import { Sink } from "../curl/sink.ts";
import { parseTarget } from "../curl/target.ts";
import { Transfer } from "../curl/transfer.ts";
import { familyOf } from "../lookup.ts";
import { nameServers } from "../name-servers.ts";
import { openStack } from "../stack.ts";
import { openStation } from "../station.ts";
import { VERSION } from "../version.ts";

const HELP = `
Exit status, as curl's where that leaves room: 0 done, 2 wrong usage, 3 the NIC cannot be opened,
6 the host's name cannot be resolved, 7 no connection, 8 no HTTP, 18 the body is not whole,
22 an error status with --fail, 23 the output cannot be written, 28 timeout, 35 no TLS,
52 empty reply, 56 the connection broke, 60 the certificate is not trusted, 130 Ctrl-C.
On link: the neighbour in memory is the host, and has a page.
${options.nicHelp()}
Examples:
  ethox curl http://10.0.0.2/ --addr 10.0.0.1/24                 from the kernel's side of tap0
  ethox curl -v https://10.0.0.2:8443/ --addr 10.0.0.1/24 -k     headers too, whatever the certificate
  ethox curl http://10.0.0.2/form --addr 10.0.0.1/24 -d name=value -m 5s
  ethox curl https://example.com/ --addr dhcp                    by name, as DHCP's DNS server knows it
  ethox curl http://10.0.0.2/ --nic link: -i
`;

/** Adds the command. */
export function addCurl(program: Command, context: Context): void {
  program.command("curl")
    .description("fetch a URL, http or https, and print what it is")
    .argument("<url>", "where: its host is an address or a name", parseTarget)
    .addOption(new Option("-X, --request <method>", "the method").argParser(method))
    .addOption(
      new Option("-H, --header <line>", "a header as NAME: VALUE; may be repeated").argParser(header),
    )
    .addOption(
      new Option("-d, --data <text>", "send this as a form by POST; may be repeated").argParser(data),
    )
    .addOption(new Option("-I, --head", "ask for the header only, and print it"))
    .addOption(new Option("-i, --include", "print the response's header, too"))
    .addOption(new Option("-o, --output <file>", "write to a file instead of stdout"))
    .addOption(new Option("-f, --fail", "print nothing and fail if the status is 400 or more"))
    .addOption(new Option("-k, --insecure", "trust any certificate"))
    .addOption(new Option("-v, --verbose", "tell on stderr what happens"))
    .addOption(
      new Option("-m, --max-time <time>", "give up after this time: seconds, or such as 500ms")
        .argParser(time("--max-time")),
    )
    .addOption(
      new Option("--connect-timeout <time>", "give up connecting after this time")
        .argParser(time("--connect-timeout")),
    )
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.gateway)
    .addOption(options.mac)
    .addOption(options.dns)
    .addOption(options.ipv4)
    .addOption(options.ipv6)
    .addOption(options.congestion)
    .addOption(options.fault)
    .addOption(options.pcap)
    .addHelpText("after", HELP)
    .action(async (target, given) => {
      const { nic, addr, gateway, mac, congestion, fault, pcap } = given;
      const family = familyOf("URL", target.address ?? target.hostname, given);
      const dns = nameServers(given);
      const output = new Output(context.io, { quiet: true });
      const station = openStation(
        { nic, addr, gateway, mac, congestion, fault, pcap },
        output,
        target.address,
      );
      const note = (mark: string, text: string) => {
        if (given.verbose === true) context.io.err(`${mark} ${text}`.trimEnd() + "\n");
      };
      using sink = new Sink(context.io, given.output);
      const isHead = given.head === true;
      await interruptible(context.io, given.maxTime, async (stop) => {
        await station.lend(stop.signal, output, async (lent) => {
          await using stack = await openStack(station, lent, { gateway, dns }, stop.signal);
          const transfer = new Transfer(stack, target, {
            method: given.request ?? (isHead ? "HEAD" : given.data === undefined ? "GET" : "POST"),
            headers: headers(target.host, given.header ?? [], given.data),
            body: given.data,
            insecure: given.insecure === true,
            connectTimeout: given.connectTimeout,
            family,
            signal: stop.signal,
          }, {
            note: (text) => note("*", text),
            sent: (line) => note(">", line),
            response: ({ status, lines }) => {
              for (const line of lines) note("<", line);
              if (given.fail === true && status >= 400) {
                throw new CurlError(CurlStatus.HttpError, `the answer is ${lines[0]}`);
              }
              if (isHead || given.include === true) sink.write(encoder.encode(`${lines.join("\r\n")}\r\n`));
            },
            body: (bytes) => sink.write(bytes),
          });
          await transfer.run();
          sink.finish();
        });
      }).catch((error) => {
        throw ENDINGS[String(error)] ?? error;
      });
    });
}

/** What became of a transfer that did not come to its end. */
const ENDINGS: Readonly<Record<string, CliError>> = {
  duration: new CurlError(CurlStatus.Timeout, "it took longer than --max-time allows"),
  interrupted: new CliError(ExitStatus.Interrupted, "interrupted"),
} satisfies Partial<Record<StopReason, CliError>>;

const encoder = new TextEncoder();

/** The request's header: what nobody says otherwise about, then what the user says. */
function headers(host: string, lines: readonly string[], body: string | undefined): string[] {
  const own = [`Host: ${host}`, `User-Agent: ethox/${VERSION}`, "Accept: */*", "Connection: close"];
  if (body !== undefined) {
    own.push(`Content-Length: ${encoder.encode(body).length}`);
    own.push("Content-Type: application/x-www-form-urlencoded");
  }
  // As curl has it: nothing behind the colon takes a header away.
  const said = lines.filter((line) => /:[\t ]*[^\t ]/.test(line)).map((line) => {
    const [name, value = ""] = line.split(/:(.*)/s);
    return `${name}: ${value.trim()}`;
  });
  const others = said.filter((line) => !own.some((one) => nameOf(one) === nameOf(line)));
  return [
    ...own.flatMap((line) => {
      const isSame = (other: string) => nameOf(other) === nameOf(line);
      return lines.some(isSame) ? said.filter(isSame) : [line];
    }),
    ...others,
  ];
}

/** The name of a header, by which it is known whatever its case. */
function nameOf(line: string): string {
  return line.slice(0, line.indexOf(":")).toLowerCase();
}

function method(text: string): string {
  if (/^[!#$%&'*+\-.^_`|~\w]+$/.test(text)) return text;
  throw new UsageError(`--request: "${text}" is no method; write one, as in PUT`);
}

function header(text: string, previous: readonly string[] = []): readonly string[] {
  if (/^[!#$%&'*+\-.^_`|~\w]+:[\t\x20-\x7e\x80-\xff]*$/.test(text)) return [...previous, text];
  throw new UsageError(`--header: "${text}" is no header; write NAME: VALUE, as in "Accept: text/html"`);
}

function data(text: string, previous?: string): string {
  if (text.startsWith("@")) {
    throw new UsageError(`--data: "${text}": a file cannot be sent; write the text itself`);
  }
  return previous === undefined ? text : `${previous}&${text}`;
}

/** A length of time: seconds, as curl takes them, or one with its unit. */
function time(option: string): (text: string) => Instant {
  const withUnit = parse.duration(option, 1_000);
  return (text) => withUnit(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
}

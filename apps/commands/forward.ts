/** `ethox forward`: a router between NICs. */
import { Address, Cidr, formatNicSpec, Forwarder, type Mac, type NicSpec, outlet } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { messageOf, UsageError } from "../cli/errors.ts";
import { lengthOfTime, table, words } from "../cli/format.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { interruptible } from "../cli/stop.ts";
import { layers, summary } from "../report.ts";
import { openStation, type Station } from "../station.ts";

const HELP = `
Each --addr, --gateway and --mac belongs to the --nic before it. On every NIC the host answers pings to all of
its addresses. A packet leaves in the buffer that it came in, without a copy of ours.
${options.nicHelp()}
Examples:
  ethox forward --nic tap:left --addr 10.0.0.1/24 --nic tap:right --addr 10.0.1.1/24
  ethox forward --nic tap:left --addr 10.0.0.1/24 --nic tun:up --addr 10.9.9.1/30 --gateway 10.9.9.2
  ethox forward --nic tap:t1 --addr 10.0.0.1/24 --nic tap:t2 --addr 10.0.1.1/24 --route 192.0.2.0/24,10.0.1.2
`;

/** What belongs to one NIC. */
interface PortOptions {
  readonly nic: NicSpec;
  readonly addr: readonly Cidr[];
  readonly gateway: readonly Address[];
  readonly mac: Mac | undefined;
}

/** A route of the whole router. */
interface RouteOption {
  readonly network: Cidr;
  readonly gateway: Address;
}

/** Collects the options of each NIC in the order in which they are written. */
class Ports {
  readonly list: PortOptions[] = [];

  add(text: string): this {
    const nic = parse.nic(text);
    const name = formatNicSpec(nic);
    if (nic.kind === "link") {
      throw new UsageError(`--nic: ${name} leads nowhere; write interfaces, as in tap:tap0`);
    }
    if (this.list.some((other) => formatNicSpec(other.nic) === name)) {
      throw new UsageError(`--nic: ${name} is written twice`);
    }
    this.list.push({ nic, addr: [], gateway: [], mac: undefined });
    return this;
  }

  /** Changes what belongs to the last NIC. */
  change(option: string, change: (port: PortOptions) => PortOptions): this {
    const last = this.list.pop();
    if (last === undefined) {
      throw new UsageError(`${option}: it belongs to the --nic before it, and there is none`);
    }
    this.list.push(change(last));
    return this;
  }
}

/** Adds the command. */
export function addForward(program: Command, context: Context): void {
  const ports = new Ports();
  program.command("forward")
    .description("be a router between two NICs or more, until Ctrl-C")
    .addOption(
      new Option("--nic <spec>", "a NIC; written twice or more").argParser((text) => ports.add(text)),
    )
    .addOption(
      new Option("--addr <cidr>", "an own address on that NIC; may be repeated").argParser((text) =>
        ports.change("--addr", (port) => ({ ...port, addr: [...port.addr, fixedAddress(text)] }))
      ),
    )
    .addOption(
      new Option("--gateway <ip>", "a router to everything else on that NIC").argParser((text) =>
        ports.change("--gateway", (port) => ({ ...port, gateway: parse.gateway(text, port.gateway) }))
      ),
    )
    .addOption(
      new Option("--mac <mac>", "the hardware address on that NIC").argParser((text) =>
        ports.change("--mac", (port) => ({ ...port, mac: parse.mac(text) }))
      ),
    )
    .addOption(
      new Option("--route <network,gateway>", "a way to another network; may be repeated").argParser(
        routeOption,
      ),
    )
    .addOption(options.duration)
    .addOption(options.json)
    .addOption(new Option("-q, --quiet", "print nothing but warnings and errors"))
    .addOption(options.verbose)
    .addHelpText("after", HELP)
    .action(async (given) => {
      const output = new Output(context.io, given);
      if (ports.list.length < 2) {
        throw new UsageError("--nic: a router needs two of them or more; write --nic again");
      }
      const stations = openAll(ports.list, given.verbose, output);
      const router = new Forwarder();
      try {
        addWays(stations, given.route ?? []);
      } catch (error) {
        for (const station of stations) station.close();
        throw error;
      }
      const started = performance.now();
      await interruptible(context.io, given.duration, async (stop) => {
        const all = stations.map((station) => station.describe());
        const running = stations.map(async (station) => {
          const { appliance } = station;
          const { nic } = appliance;
          const port = router.port({
            ip: appliance.ip,
            link: appliance.link.outlet(outlet(nic)),
            wake: () => nic.wake(),
          });
          try {
            await station.run(stop.signal, output, () => ({ tree: appliance.forwarding(port) }));
          } finally {
            // Without one of its links it is the router no more that was asked for.
            if (!stop.signal.aborted) stop.abort("done");
          }
        });
        output.event("ready", { ports: all });
        output.line(
          `forwarding between ${
            all.map(({ nic, addresses }) => `${nic} (${addresses[0]})`).join(" and ")
          }; Ctrl-C stops`,
        );
        await Promise.all(running);
      });
      report(output, router, stations, (performance.now() - started) * 1_000);
    });
}

/** An address that is known from the start, since the router answers for it on all its links. */
function fixedAddress(text: string): Cidr {
  const [address] = parse.ownAddress(text, undefined);
  if (address instanceof Cidr) return address;
  throw new UsageError(`--addr: ${text} is none of a router's; write ADDRESS/PREFIX, as in 10.0.0.1/24`);
}

/** NETWORK,GATEWAY. */
function routeOption(text: string, previous: readonly RouteOption[] = []): readonly RouteOption[] {
  const [network = "", gateway = "", ...more] = text.split(",");
  try {
    if (more.length > 0) throw new SyntaxError("there is a comma too many");
    return [...previous, { network: Cidr.parse(network), gateway: Address.parse(gateway) }];
  } catch (error) {
    throw new UsageError(`--route: ${messageOf(error)}; write NETWORK,GATEWAY, as in 192.0.2.0/24,10.0.1.2`);
  }
}

function openAll(ports: readonly PortOptions[], verbose: true | undefined, output: Output): Station[] {
  const stations: Station[] = [];
  try {
    for (const port of ports) {
      const gateway = port.gateway.length > 0 ? port.gateway : undefined;
      const addr = port.addr.length > 0 ? port.addr : undefined;
      stations.push(openStation({ nic: port.nic, mac: port.mac, verbose, gateway, addr }, output));
    }
    return stations;
  } catch (error) {
    for (const station of stations) station.close();
    throw error;
  }
}

/** Makes each host answer for the router's addresses on all other NICs, and adds the routes. */
function addWays(stations: readonly Station[], routes: readonly RouteOption[]): void {
  const hosts = stations.map(({ appliance }) => appliance.ip);
  const own = hosts.map(({ addresses }) => [...addresses]);
  for (const { network, gateway } of routes) {
    const host = hosts.find(({ addresses }) => addresses.onLink(gateway) !== undefined);
    if (host === undefined || host.addresses.isForged(gateway)) {
      throw new UsageError(
        `--route: ${gateway} is no other host on a subnet of ours; allowed are hosts of ${own.join(", ")}`,
      );
    }
    if (network.isV4 !== gateway.isV4) {
      throw new UsageError(`--route: ${gateway} is not of the family of ${network}`);
    }
    host.routes.add(network, gateway);
  }
  hosts.forEach((host, index) => {
    for (const { address } of own.filter((_, other) => other !== index).flat()) {
      if (host.addresses.owns(address)) throw new UsageError(`--addr: ${address} is written for two NICs`);
      host.addresses.add(new Cidr(address, address.isV4 ? 32 : 128));
    }
  });
}

function report(output: Output, router: Forwarder, stations: readonly Station[], time: number): void {
  const counters = { ...router.counters };
  output.event("summary", {
    seconds: time / 1e6,
    forward: counters,
    ports: stations.map((station) => ({ nic: station.name, ...summary(layers(station.appliance)) })),
  });
  output.line(
    `${counters.received} packets for other hosts, ${counters.forwarded} forwarded in ${lengthOfTime(time)}`,
  );
  const rows = Object.entries(counters).filter(([, value]) => value > 0);
  for (const line of table(rows.map(([name, value]) => [`  ${words(name)}`, String(value)]), [1])) {
    output.line(line);
  }
}

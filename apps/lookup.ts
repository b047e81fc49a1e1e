/** From a name to an address, for commands that talk to one host. */
import { Address, type DnsAnswer, DnsType, orderDestinations, type Resolver } from "../mod.ts";
import type { Appliance } from "./appliance.ts";
import { CliError, ExitStatus, UsageError } from "./cli/errors.ts";
import type { HostName } from "./cli/parse.ts";

/** A family that was asked for; undefined: either will do. */
export type FamilyChoice = 4 | 6 | undefined;

/** The family that options ask for. Throws a UsageError if an address, which `what` names, is of the other one. */
export function familyOf(
  what: string,
  host: HostName,
  { ipv4, ipv6 }: { readonly ipv4?: boolean | undefined; readonly ipv6?: boolean | undefined },
): FamilyChoice {
  const family = ipv4 === true ? 4 : ipv6 === true ? 6 : undefined;
  if (family === undefined || !(host instanceof Address) || host.isV4 === (family === 4)) return family;
  throw new UsageError(`${what}: ${host} is no address of IPv${family}; leave -${family} out`);
}

/** How long a name waits for DHCPv6 to say whom to ask, in milliseconds: its delay, and two tries. */
const INFORMATION_LIMIT = 4_000;

/** The best address of a host. Rejects with a CliError if there is none. The appliance must be polled meanwhile. */
export async function lookup(
  appliance: Appliance,
  host: HostName,
  family?: FamilyChoice,
): Promise<Address> {
  if (host instanceof Address) return host;
  const { resolver, ip, nic } = appliance;
  if (resolver === undefined) throw new Error("a resolver is wanted for names");
  const end = performance.now() + INFORMATION_LIMIT;
  while (
    resolver.servers.length === 0 && appliance.information?.isPending === true && performance.now() < end
  ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const own = [...ip.addresses];
  const families = [true, false].filter((isV4) => {
    return family === undefined ? own.some(({ address }) => address.isV4 === isV4) : isV4 === (family === 4);
  });
  const answers = await Promise.all(
    families.map((isV4) => ask(appliance, resolver, host, isV4 ? DnsType.A : DnsType.AAAA)),
  );
  const found = answers.flatMap(({ records }) =>
    records.flatMap(({ data }) => data instanceof Address ? [data] : [])
  );
  const [best] = orderDestinations(found, (destination) => {
    const source = ip.path.source(destination, nic.now());
    return source === undefined ? undefined : ip.addresses.find(source);
  });
  if (best !== undefined) return best;
  throw new CliError(ExitStatus.Failed, `${host} cannot be resolved: ${reason(answers, resolver)}`);
}

function ask({ nic }: Appliance, resolver: Resolver, name: string, type: number): Promise<DnsAnswer> {
  return new Promise((resolve) => {
    resolver.lookup(name, type, nic.now(), resolve);
    nic.wake();
  });
}

/** Why a name has no address, in words. */
export function reason(answers: readonly DnsAnswer[], resolver: Resolver): string {
  const has = (status: DnsAnswer["status"]) => answers.some((answer) => answer.status === status);
  if (has("no-server") || answers.length === 0) return "no DNS server is known; name one with --dns";
  const servers = resolver.servers.join(", ");
  if (has("timeout")) return `no answer from ${servers}`;
  if (has("failed")) return `the DNS servers have failed (${servers})`;
  return has("no-data") ? "it has no address" : "there is no such name";
}

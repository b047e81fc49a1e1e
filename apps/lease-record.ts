/** Leases as lines of text. */
import { Address, Cidr, type Lease } from "../mod.ts";

/** An own lease as it is written: addresses as text, times as they are, its end as a date; null: it has no end. */
export interface OwnRecord {
  readonly own: string;
  readonly lease: Readonly<Record<string, unknown>> | null;
  readonly expires: string | null;
}

/** A lease of a client as it is written; of nobody: "". */
export interface GivenRecord {
  readonly given: string;
  readonly client: string;
  readonly expires: string | null;
}

/** A line of the file. */
export type LeaseRecord = OwnRecord | GivenRecord;

/** What a record is about: the last one about it counts. */
export function keyOf(record: LeaseRecord): string {
  return "own" in record ? `own ${record.own}` : `given ${record.given}`;
}

/** A line of the file; undefined: it is none. */
export function recordOf(line: string): LeaseRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { own, given, client, lease, expires } = value;
  if (expires !== null && typeof expires !== "string") return undefined;
  if (typeof own === "string" && (lease === null || isObject(lease))) return { own, lease, expires };
  const isGiven = typeof given === "string" && Address.tryParse(given)?.isV4 === true &&
    typeof client === "string" && /^([0-9a-f]{2})*$/.test(client);
  return isGiven ? { given, client, expires } : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a lease says, in what JSON has. */
export function writtenLease(lease: Lease): Record<string, unknown> {
  const { address, server, routers, routes, dns } = lease;
  return {
    ...lease,
    address: String(address),
    server: String(server),
    routers: routers.map(String),
    routes: routes.map(({ network, prefix, router }) => ({
      to: `${network}/${prefix}`,
      router: String(router),
    })),
    dns: dns.map(String),
    // JSON has no Infinity.
    ...(Number.isFinite(lease.duration) ? {} : { duration: null, renewal: null, rebinding: null }),
  };
}

/** The lease that was written; undefined: somebody has changed it into something else. */
export function leaseOf(written: Readonly<Record<string, unknown>>): Lease | undefined {
  const address = addressOf(written["address"]), server = addressOf(written["server"]);
  const prefix = numberOf(written["prefix"], 1, 32);
  const routers = listOf(written["routers"], addressOf), dns = listOf(written["dns"], addressOf);
  const routes = listOf(written["routes"], routeOf);
  const search = listOf(written["search"], (name) => typeof name === "string" ? name : undefined);
  const [duration, renewal, rebinding] = ["duration", "renewal", "rebinding"].map((name) => {
    return written[name] === null ? Infinity : numberOf(written[name], 1, 0xffffffff);
  });
  const mtu = numberOf(written["mtu"], 68, 0xffff);
  if (address === undefined || server === undefined || prefix === undefined) return undefined;
  if (routers === undefined || dns === undefined || routes === undefined || search === undefined) {
    return undefined;
  }
  if (duration === undefined || renewal === undefined || rebinding === undefined) return undefined;
  const cannotBe = !address.isUnicast || address.isLoopback || new Cidr(address, prefix).isBroadcast(address);
  if (cannotBe || renewal > rebinding || rebinding > duration) {
    return undefined;
  }
  return { address, prefix, server, routers, routes, dns, search, mtu, duration, renewal, rebinding };
}

function routeOf(value: unknown): Lease["routes"][number] | undefined {
  if (!isObject(value)) return undefined;
  const [to, length, more] = String(value["to"]).split("/");
  const network = addressOf(to),
    router = addressOf(value["router"]),
    prefix = numberOf(Number(length), 0, 32);
  if (network === undefined || router === undefined || prefix === undefined || more !== undefined) {
    return undefined;
  }
  return { network, prefix, router };
}

function addressOf(value: unknown): Address | undefined {
  const address = typeof value === "string" ? Address.tryParse(value) : undefined;
  return address?.isV4 === true ? address : undefined;
}

function numberOf(value: unknown, least: number, most: number): number | undefined {
  return typeof value === "number" && value >= least && value <= most ? value : undefined;
}

function listOf<T>(value: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value) || value.length > 16) return undefined;
  const items = value.flatMap((item: unknown) => read(item) ?? []);
  return items.length === value.length ? items : undefined;
}

/** The date after so many seconds; null: there is none. */
export function dateIn(remaining: number): string | null {
  return Number.isFinite(remaining) ? new Date(Date.now() + remaining * 1_000).toISOString() : null;
}

/** How many seconds it is until a date; none, if it is past or no date; no date: for ever. */
export function secondsUntil(expires: string | null): number {
  if (expires === null) return Infinity;
  const date = Date.parse(expires);
  return Number.isNaN(date) ? 0 : Math.max(0, (date - Date.now()) / 1_000);
}

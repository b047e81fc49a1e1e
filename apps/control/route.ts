/** `route`: the ways to other networks. */
import { Cidr, type Route, RouteKind, seconds } from "../../mod.ts";
import { type ControlCommand, type ControlledHost, type Row, SILENT } from "./command.ts";
import { type Fields, needed, parseCidr, RequestError } from "./request.ts";
import { numeral, Words } from "./words.ts";

const FORM = "[unreachable|blackhole] NETWORK|default [via GATEWAY] [metric N] [expires SECONDS]";

/** What a request and iproute2 call the kinds that are no way. */
const KINDS: Readonly<Record<string, RouteKind>> = {
  unreachable: RouteKind.Unreachable,
  blackhole: RouteKind.Blackhole,
};

const METRIC_MAX = 0xffff_ffff, EXPIRES_MAX = 1e9;

function row(route: Route, now: number): Row {
  const { network, kind, gateway, metric, expires } = route;
  return {
    network: `${network.network}/${network.prefix}`,
    kind: kind === RouteKind.Gateway
      ? "gateway"
      : Object.keys(KINDS).find((name) => KINDS[name] === kind) ?? "link",
    ...(kind === RouteKind.Gateway && { gateway: String(gateway) }),
    metric,
    ...(expires !== Infinity && { expires: Math.max(0, Math.ceil((expires - now) / seconds(1))) }),
  };
}

function line({ network, kind, gateway, source, metric, expires }: Row): string {
  const name = network === "0.0.0.0/0" || network === "::/0" ? "default" : String(network);
  return [
    kind === "unreachable" || kind === "blackhole" ? `${kind} ${name}` : name,
    ...(gateway === undefined ? [] : [`via ${gateway}`]),
    ...(kind === "link" ? ["scope link"] : []),
    ...(source === undefined ? [] : [`src ${source}`]),
    ...(metric === undefined || metric === 0 ? [] : [`metric ${metric}`]),
    ...(expires === undefined ? [] : [`expires ${expires}sec`]),
  ].join(" ");
}

/** The network of a request; "default" is everything of the gateway's family, or IPv4. */
function networkOf(fields: Fields, gatewayIsV4: boolean = true): Cidr {
  const text = needed(fields.text("network"), "network");
  try {
    if (text === "default") return Cidr.parse(gatewayIsV4 ? "0.0.0.0/0" : "::/0");
    return parseCidr(text);
  } catch (error) {
    throw new RequestError(`network: ${error instanceof Error ? error.message : error}`);
  }
}

function add({ appliance }: ControlledHost, fields: Fields, replaces: boolean): Row[] {
  const { routes, addresses } = appliance.ip;
  const gateway = fields.address("gateway");
  const network = networkOf(fields, gateway?.isV4);
  const named = fields.text("kind");
  const kind = named !== undefined && Object.hasOwn(KINDS, named) ? KINDS[named] : undefined;
  if (named !== undefined && kind === undefined) {
    throw new RequestError(`kind must be one of ${Object.keys(KINDS).join(", ")}, or left out`);
  }
  const metric = fields.number("metric", 0, METRIC_MAX) ?? 0;
  const expires = fields.number("expires", 1, EXPIRES_MAX);
  fields.end();
  if (gateway !== undefined && (addresses.isForged(gateway) || addresses.onLink(gateway) === undefined)) {
    throw new RequestError(
      `the gateway ${gateway} is no other host on a subnet of ours; addr show lists them`,
    );
  }
  const now = appliance.nic.now();
  const isThere = routes.to(network).some((other) => other.metric === metric && other.expires > now);
  if (!replaces && isThere) {
    throw new RequestError(`there is a route to ${network} with metric ${metric}; route replace changes it`);
  }
  const init = {
    network,
    metric,
    ...(gateway && { gateway }),
    ...(kind === undefined ? {} : { kind }),
    ...(expires === undefined ? {} : { expires: now + seconds(expires) }),
  };
  try {
    if (!routes.set(init, now)) throw new RequestError(`the table is full: it has ${routes.capacity} routes`);
  } catch (error) {
    throw error instanceof RangeError ? new RequestError(error.message) : error;
  }
  return routes.to(network).filter((route) => route.metric === metric).map((route) => row(route, now));
}

function fieldsOf(words: readonly string[], form: string): Row {
  const reader = new Words(words, form);
  const first = reader.needed("the network");
  const isKind = Object.hasOwn(KINDS, first);
  const network = isKind ? reader.needed("the network") : first;
  const pairs = reader.pairs("via", "metric", "expires");
  return {
    network,
    kind: isKind ? first : undefined,
    gateway: pairs.get("via"),
    metric: numeral(pairs.get("metric")),
    expires: numeral(pairs.get("expires")),
  };
}

export const route: readonly ControlCommand[] = [
  {
    name: "route show",
    form: "",
    meaning: "list the own subnets and all routes",
    fields: (words) => {
      new Words(words, "route show").end();
      return {};
    },
    run: ({ appliance }) => {
      const now = appliance.nic.now();
      const subnets = [...appliance.ip.addresses].map(({ address, network, prefix }): Row => {
        return { network: `${network}/${prefix}`, kind: "link", source: String(address) };
      });
      const live = [...appliance.ip.routes].filter((one) => one.expires > now);
      return [...live.map((one) => row(one, now)), ...subnets];
    },
    lines: (rows) => rows.map(line),
  },
  {
    name: "route get",
    form: "ADDRESS",
    meaning: "say which way a packet would go",
    fields: (words) => {
      const reader = new Words(words, "route get ADDRESS");
      const address = reader.needed("the address");
      reader.end();
      return { address };
    },
    run: ({ appliance }, fields) => {
      const address = needed(fields.address("address"), "address");
      fields.end();
      const { addresses, routes } = appliance.ip;
      const now = appliance.nic.now();
      if (addresses.owns(address)) return [{ network: String(address), kind: "own" }];
      const source = addresses.onLink(address);
      if (source !== undefined) return [{ network: String(address), kind: "link", source: String(source) }];
      const found = routes.lookup(address, now);
      if (found === undefined) throw new RequestError(`there is no way to ${address}`);
      return [row(found, now)];
    },
    lines: (rows) => rows.map((one) => one.kind === "own" ? `${one.network} is our own` : line(one)),
  },
  {
    name: "route add",
    form: FORM,
    meaning: "add a route",
    fields: (words) => fieldsOf(words, `route add ${FORM}`),
    run: (host, fields) => add(host, fields, false),
    lines: SILENT,
  },
  {
    name: "route replace",
    form: FORM,
    meaning: "add a route, or change the one there is",
    fields: (words) => fieldsOf(words, `route replace ${FORM}`),
    run: (host, fields) => add(host, fields, true),
    lines: SILENT,
  },
  {
    name: "route del",
    form: "NETWORK|default [via GATEWAY] [metric N]",
    meaning: "remove a route",
    fields: (words) => {
      const reader = new Words(words, "route del NETWORK|default [via GATEWAY] [metric N]");
      const network = reader.needed("the network");
      const pairs = reader.pairs("via", "metric");
      return { network, gateway: pairs.get("via"), metric: numeral(pairs.get("metric")) };
    },
    run: ({ appliance }, fields) => {
      const { routes } = appliance.ip;
      const gateway = fields.address("gateway");
      const network = networkOf(fields, gateway?.isV4);
      const metric = fields.number("metric", 0, METRIC_MAX);
      fields.end();
      const found = routes.to(network).find((one) =>
        (metric === undefined || one.metric === metric) &&
        (gateway === undefined || (one.kind === RouteKind.Gateway && one.gateway.equals(gateway)))
      );
      if (found === undefined) {
        throw new RequestError(`there is no such route to ${network}; route show lists them`);
      }
      routes.remove(network, found.metric);
      return [row(found, appliance.nic.now())];
    },
    lines: SILENT,
  },
];

/**
 * The settings of a drill: the `--name=value` lines of a script over packetdrill's defaults.
 *
 * @module
 */
import type { Instant } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import type { Option } from "./ast.ts";
import { DrillSyntaxError } from "./error.ts";

/** What a drill runs with. */
export interface Config {
  /** The family of packets that carry no address of their own. */
  readonly isV4: boolean;
  /** The address of the stack under test. */
  readonly local: Address;
  /** The length of its subnet's prefix. */
  readonly prefix: number;
  /** The way to other networks. */
  readonly gateway: Address;
  /** The address that packets come from and go to unless the script says otherwise. */
  readonly remote: Address;
  /** The port of `bind(3, ..., ...)`. */
  readonly bindPort: number;
  /** The port of `connect(3, ..., ...)`. */
  readonly connectPort: number;
  /** The largest packet of the link. */
  readonly mtu: number;
  /** How far a time may be off. */
  readonly tolerance: Instant;
  /** The length of a tick of TCP's timestamps. */
  readonly tick: Instant;
  /** Whether the script is only to be read. */
  readonly dryRun: boolean;
  /** Constants that the script defines. */
  readonly defines: ReadonlyMap<string, string>;
}

/** What is told for one family only where the script does not say. */
const DEFAULTS = {
  ipv4: { local: "192.168.0.1", prefix: 16, gateway: "192.168.0.2", remote: "192.0.2.1" },
  ipv6: { local: "fd3d:fa7b:d17d::1", prefix: 48, gateway: "fd3d:fa7b:d17d::2", remote: "2001:db8::1" },
} as const;

/** The known options; "ignored": they are about packetdrill's own way of running, or about the kernel. */
const OPTIONS: ReadonlyMap<string, keyof Values | "ignored"> = new Map<string, keyof Values | "ignored">([
  ["ip_version", "version"],
  ["local_ip", "local"],
  ["remote_ip", "remote"],
  ["gateway_ip", "gateway"],
  ["gateway", "gateway"],
  ["netmask_ip", "netmask"],
  ["bind_port", "bindPort"],
  ["connect_port", "connectPort"],
  ["mtu", "mtu"],
  ["tolerance_usecs", "tolerance"],
  ["tcp_ts_tick_usecs", "tick"],
  ["dry_run", "dryRun"],
  ["define", "define"],
  ["code_command", "ignored"],
  ["code_format", "ignored"],
  ["code_sockopt", "ignored"],
  ["debug", "ignored"],
  ["init_scripts", "ignored"],
  ["mss", "ignored"],
  ["no_cleanup", "ignored"],
  ["non_fatal", "ignored"],
  ["send_omit_free", "ignored"],
  ["so_filename", "ignored"],
  ["speed", "ignored"],
  ["strict_segments", "ignored"],
  ["tcp_ts_ecr_scaled", "ignored"],
  ["verbose", "ignored"],
]);

class Values {
  version = "ipv4";
  local: Address | undefined;
  remote: Address | undefined;
  gateway: Address | undefined;
  netmask: Address | undefined;
  bindPort = 8_080;
  connectPort = 8_080;
  mtu = 1_500;
  tolerance = 4_000;
  tick = 1_000;
  dryRun = false;
  define = new Map<string, string>();
}

/**
 * The settings that a script's options make.
 *
 * @throws {DrillSyntaxError} for an option that there is not, or a value that it cannot have
 */
export function configure(options: readonly Option[], file: string): Config {
  const values = new Values();
  for (const option of options) apply(values, option, (why) => fail(file, option, why));
  const isV4 = values.version === "ipv4";
  const defaults = DEFAULTS[isV4 ? "ipv4" : "ipv6"];
  const address = (given: Address | undefined, text: string) => given ?? Address.parse(text);
  for (const given of [values.local, values.remote, values.gateway]) {
    if (given === undefined || given.isV4 === isV4) continue;
    const option = options.find(({ value }) => value !== undefined && Address.tryParse(value)?.equals(given));
    throw new DrillSyntaxError(
      file,
      option?.at ?? { line: 1, column: 1 },
      `the address ${given} does not fit --ip_version=${values.version}`,
    );
  }
  return {
    isV4,
    local: address(values.local, defaults.local),
    prefix: values.netmask === undefined ? defaults.prefix : prefixOf(values.netmask),
    gateway: address(values.gateway, defaults.gateway),
    remote: address(values.remote, defaults.remote),
    bindPort: values.bindPort,
    connectPort: values.connectPort,
    mtu: values.mtu,
    tolerance: values.tolerance,
    tick: values.tick,
    dryRun: values.dryRun,
    defines: values.define,
  };
}

function apply(values: Values, { name, value }: Option, refuse: (why: string) => never): void {
  const key = OPTIONS.get(name);
  switch (key) {
    case undefined:
      return refuse("there is no such option");
    case "ignored":
      return;
    case "version":
      if (value !== "ipv4" && value !== "ipv6") return refuse("expected ipv4 or ipv6");
      values.version = value;
      return;
    case "local":
    case "remote":
    case "gateway":
    case "netmask":
      values[key] = (value === undefined ? undefined : Address.tryParse(value)) ??
        refuse("expected an IP address");
      return;
    case "dryRun":
      values.dryRun = true;
      return;
    case "define": {
      const sign = value?.indexOf("=") ?? -1;
      if (value === undefined || sign < 1) return refuse("expected NAME=VALUE");
      values.define.set(value.slice(0, sign), value.slice(sign + 1));
      return;
    }
    default: {
      if (value === undefined || !/^[0-9]+$/.test(value)) return refuse("expected a number");
      const [min, max] = RANGES[key];
      const number = Number(value);
      if (number < min || number > max) return refuse(`expected a number from ${min} to ${max}`);
      values[key] = number;
    }
  }
}

const RANGES = {
  bindPort: [1, 65_535],
  connectPort: [1, 65_535],
  mtu: [68, 65_535],
  tolerance: [0, 3_600_000_000],
  tick: [1, 1_000_000],
} as const;

/** The number of leading ones. */
function prefixOf(netmask: Address): number {
  if (netmask.isV4) return Math.clz32(~netmask.d);
  const words = [netmask.a, netmask.b, netmask.c, netmask.d].map((word) => Math.clz32(~word));
  const full = words.findIndex((ones) => ones < 32);
  return full < 0 ? 128 : full * 32 + words[full]!;
}

function fail(file: string, { name, value, at }: Option, why: string): never {
  throw new DrillSyntaxError(file, at, `--${name}${value === undefined ? "" : `=${value}`}: ${why}`);
}

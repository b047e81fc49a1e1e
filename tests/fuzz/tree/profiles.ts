/**
 * The hosts that are fuzzed, by name.
 *
 * @module
 */
import type { ExternalOptions } from "../../../nic/external.ts";
import type { IcmpOptions } from "../../../stack/icmp/endpoint.ts";
import type { IpOptions } from "../../../stack/ip/endpoint.ts";
import { ALL_IGNORED } from "../../../stack/slot.ts";
import { OWN } from "../../support/frames.ts";
import { OWN6, OWN_LOCAL6 } from "../../support/frames-v6.ts";

/** How a host differs from the others. */
export interface Profile {
  readonly nic?: ExternalOptions;
  readonly ip: IpOptions;
  readonly icmp?: IcmpOptions;
  readonly promiscuous?: boolean;
  /** Whether closed ports and unknown protocols are answered with ICMP errors. Default true. */
  readonly reports?: boolean;
}

const ADDRESSES = [`${OWN}/24`], GATEWAYS = ["10.0.0.254"];

// So few neighbours that the cache is soon full; so few slots that they are soon used up.
const NEIGHBOURS = { capacity: 8 };

const PROFILES = {
  plain: { ip: { addresses: ADDRESSES, gateways: GATEWAYS, neighbours: NEIGHBOURS } },
  /** Both families. */
  dual: {
    ip: {
      addresses: [`${OWN}/24`, `${OWN_LOCAL6}/64`, `${OWN6}/64`],
      neighbours: NEIGHBOURS,
      reassembly: { packets: 4, packetsOfOne: 3, bytes: 1 << 15 },
      largePackets: 2,
    },
  },
  /** The NIC cannot send received buffers back. */
  postponing: {
    nic: { canAnswer: false },
    ip: { addresses: ADDRESSES, gateways: GATEWAYS, neighbours: NEIGHBOURS },
  },
  /** Nobody looks at a checksum. */
  trusting: { nic: { capabilities: ALL_IGNORED }, ip: { addresses: ADDRESSES, neighbours: NEIGHBOURS } },
  promiscuous: { promiscuous: true, ip: { addresses: ADDRESSES, neighbours: { capacity: 2 } } },
  /** Two subnets, one inside the other, and a short MTU. */
  nested: {
    nic: { mtu: 600 },
    ip: {
      addresses: ADDRESSES.concat("10.0.0.129/25"),
      gateways: ["10.0.0.200"],
      neighbours: { capacity: 1 },
    },
  },
  /** Two hosts on a wire, without a broadcast address (RFC 3021). */
  pair: { ip: { addresses: [`${OWN}/32`, "10.0.0.3/31"], neighbours: NEIGHBOURS } },
  silent: { icmp: { echo: "silent" }, reports: false, ip: { addresses: ADDRESSES, neighbours: NEIGHBOURS } },
  /** The program answers echoes, and few errors leave. */
  manual: {
    icmp: { echo: "manual" },
    ip: { errorRate: 1, errorBurst: 2, addresses: ADDRESSES, gateways: GATEWAYS, neighbours: NEIGHBOURS },
  },
  /** No address at all. */
  nameless: { ip: { neighbours: NEIGHBOURS } },
} as const satisfies Record<string, Profile>;

/** The name of a profile. */
export type ProfileName = keyof typeof PROFILES;

/** The names of all profiles. */
export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];

/** Whether a text is the name of a profile. */
export function isProfile(text: string): text is ProfileName {
  return Object.hasOwn(PROFILES, text);
}

/** A profile by its name. */
export function profileOf(name: ProfileName): Profile {
  return PROFILES[name];
}

/** ICMP errors in the words of ping (iputils), which scripts look for. */
import { IcmpType, Icmpv6Type } from "../mod.ts";

const UNREACHABLE_V4 = [
  "Destination Net Unreachable",
  "Destination Host Unreachable",
  "Destination Protocol Unreachable",
  "Destination Port Unreachable",
  "Frag needed and DF set",
  "Source Route Failed",
  "Destination Net Unknown",
  "Destination Host Unknown",
  "Source Host Isolated",
  "Destination Net Prohibited",
  "Destination Host Prohibited",
  "Destination Net Unreachable for Type of Service",
  "Destination Host Unreachable for Type of Service",
  "Packet filtered",
  "Precedence Violation",
  "Precedence Cutoff",
];

const UNREACHABLE_V6 = [
  "Destination unreachable: No route",
  "Destination unreachable: Administratively prohibited",
  "Destination unreachable: Beyond scope of source address",
  "Destination unreachable: Address unreachable",
  "Destination unreachable: Port unreachable",
  "Destination unreachable: Source address failed ingress/egress policy",
  "Destination unreachable: Reject route to destination",
];

const EXCEEDED_V4 = ["Time to live exceeded", "Frag reassembly time exceeded"];
const EXCEEDED_V6 = ["Time exceeded: Hop limit", "Time exceeded: Defragmentation failure"];

/** What an error says; `mtu` is what it told, or 0. */
export function pingProblem(isV4: boolean, type: number, code: number, mtu: number): string {
  if (mtu > 0) return isV4 ? `Frag needed and DF set (mtu = ${mtu})` : `Packet too big: mtu=${mtu}`;
  const types = isV4 ? IcmpType : Icmpv6Type;
  const known = type === types.DestinationUnreachable
    ? (isV4 ? UNREACHABLE_V4 : UNREACHABLE_V6)[code]
    : type === types.TimeExceeded
    ? (isV4 ? EXCEEDED_V4 : EXCEEDED_V6)[code]
    : type === types.ParameterProblem
    ? "Parameter problem"
    : undefined;
  return known ?? `ICMP error type ${type} code ${code}`;
}

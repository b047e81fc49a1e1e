/**
 * ICMP types and codes in words, for printing (IANA "ICMP Parameters").
 *
 * @module
 */
import { Type } from "./icmpv4.ts";

const TYPES: ReadonlyMap<number, string> = new Map([
  [Type.EchoReply, "echo reply"],
  [Type.DestinationUnreachable, "destination unreachable"],
  [Type.SourceQuench, "source quench"],
  [Type.Redirect, "redirect"],
  [Type.AlternateHostAddress, "alternate host address"],
  [Type.EchoRequest, "echo request"],
  [Type.RouterAdvertisement, "router advertisement"],
  [Type.RouterSolicitation, "router solicitation"],
  [Type.TimeExceeded, "time exceeded"],
  [Type.ParameterProblem, "parameter problem"],
  [Type.TimestampRequest, "timestamp request"],
  [Type.TimestampReply, "timestamp reply"],
  [Type.InformationRequest, "information request"],
  [Type.InformationReply, "information reply"],
  [Type.AddressMaskRequest, "address mask request"],
  [Type.AddressMaskReply, "address mask reply"],
  [Type.Traceroute, "traceroute"],
  [Type.DatagramConversionError, "datagram conversion error"],
  [Type.MobileHostRedirect, "mobile host redirect"],
  [Type.WhereAreYou, "IPv6 where-are-you"],
  [Type.HereIAm, "IPv6 I-am-here"],
  [Type.MobileRegistrationRequest, "mobile registration request"],
  [Type.MobileRegistrationReply, "mobile registration reply"],
  [Type.DomainNameRequest, "domain name request"],
  [Type.DomainNameReply, "domain name reply"],
  [Type.Skip, "SKIP"],
  [Type.Photuris, "Photuris"],
  [Type.ExperimentalMobility, "experimental mobility"],
  [Type.ExtendedEchoRequest, "extended echo request"],
  [Type.ExtendedEchoReply, "extended echo reply"],
]);

const CODES: ReadonlyMap<number, readonly string[]> = new Map([
  [Type.DestinationUnreachable, [
    "net unreachable",
    "host unreachable",
    "protocol unreachable",
    "port unreachable",
    "fragmentation needed",
    "source route failed",
    "net unknown",
    "host unknown",
    "source host isolated",
    "net prohibited",
    "host prohibited",
    "net unreachable for this traffic class",
    "host unreachable for this traffic class",
    "administratively prohibited",
    "host precedence violation",
    "precedence cutoff",
  ]],
  [Type.Redirect, ["for net", "for host", "for traffic class and net", "for traffic class and host"]],
  [Type.TimeExceeded, ["hop limit", "reassembly"]],
  [Type.ParameterProblem, ["pointer", "missing option", "bad length"]],
]);

/** The type in words. */
export function typeName(type: number): string {
  return TYPES.get(type) ?? `type ${type}`;
}

/** The code in words; "" for code 0 of a type that has no names for its codes. */
export function codeName(type: number, code: number): string {
  const names = CODES.get(type);
  return names?.[code] ?? (names === undefined && code === 0 ? "" : `code ${code}`);
}

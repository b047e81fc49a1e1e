/**
 * ICMPv6 types and codes in words, for printing (IANA "ICMPv6 Parameters").
 *
 * @module
 */
import { Type } from "./icmpv6.ts";

const TYPES: ReadonlyMap<number, string> = new Map([
  [Type.DestinationUnreachable, "destination unreachable"],
  [Type.PacketTooBig, "packet too big"],
  [Type.TimeExceeded, "time exceeded"],
  [Type.ParameterProblem, "parameter problem"],
  [Type.EchoRequest, "echo request"],
  [Type.EchoReply, "echo reply"],
  [Type.MulticastListenerQuery, "multicast listener query"],
  [Type.MulticastListenerReport, "multicast listener report"],
  [Type.MulticastListenerDone, "multicast listener done"],
  [Type.RouterSolicitation, "router solicitation"],
  [Type.RouterAdvertisement, "router advertisement"],
  [Type.NeighbourSolicitation, "neighbour solicitation"],
  [Type.NeighbourAdvertisement, "neighbour advertisement"],
  [Type.Redirect, "redirect"],
  [Type.MulticastListenerReportV2, "multicast listener report v2"],
]);

const CODES: ReadonlyMap<number, readonly string[]> = new Map([
  [Type.DestinationUnreachable, [
    "no route",
    "administratively prohibited",
    "beyond scope of source address",
    "address unreachable",
    "port unreachable",
    "source address failed policy",
    "reject route",
  ]],
  [Type.TimeExceeded, ["hop limit", "reassembly"]],
  [Type.ParameterProblem, [
    "erroneous field",
    "unrecognized next header",
    "unrecognized option",
    "incomplete header chain in first fragment",
  ]],
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

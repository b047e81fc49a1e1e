/**
 * Printing ICMPv6: echoes, errors, NDP and MLD.
 *
 * @module
 */
import { Address } from "../address.ts";
import { get16, get32 } from "../bytes.ts";
import { WireError } from "../error.ts";
import * as icmpv6 from "../icmpv6.ts";
import { codeName, typeName } from "../icmpv6-names.ts";
import * as mld from "../mld.ts";
import * as ndp from "../ndp.ts";
import { groupRecords } from "./group.ts";
import { printMessage } from "./icmp.ts";
import { ndpOptions } from "./ndp.ts";
import { broken, type Printed, type Printer, type Scope } from "./text.ts";

/** Where the messages of NDP and MLD that are about one address have it. */
const TARGET = 8;

/** Prints an ICMPv6 message. `quote` prints the packet that an error is about. */
export function printIcmpv6(
  source: Address,
  destination: Address,
  quote: Printer,
  scope: Scope,
  at: number,
  end: number,
): Printed {
  const { bytes } = scope;
  const error = icmpv6.check(bytes, at, end);
  if (error !== WireError.None) return broken("ICMPv6", error, at, end);
  const type = icmpv6.type(bytes, at);
  const code = icmpv6.code(bytes, at);
  const body = ndp.bodyLength(type);
  const text = {
    name: ["ICMPv6 " + typeName(type), codeName(type, code)].filter((part) => part !== "").join(", "),
    rest: restOf(bytes, at, end, type),
    right: icmpv6.verifyChecksum(bytes, at, end, source, destination),
    isError: icmpv6.isError(type),
    more: body > 0 && end - at > body ? ndpOptions(bytes, at + body, end) : [],
  };
  return printMessage(text, quote, scope, at, end);
}

/** What lies behind the checksum, as far as the type gives it a meaning. */
function restOf(bytes: Uint8Array, at: number, end: number, type: number): string {
  const { Type } = icmpv6;
  switch (type) {
    case Type.EchoRequest:
    case Type.EchoReply:
      return `id ${icmpv6.identifier(bytes, at)}, seq ${icmpv6.sequence(bytes, at)}`;
    case Type.PacketTooBig:
      return `mtu ${get32(bytes, at + 4) >>> 0}`;
    case Type.ParameterProblem:
      return `pointer ${get32(bytes, at + 4) >>> 0}`;
    case Type.RouterAdvertisement:
      return `hop limit ${ndp.currentHopLimit(bytes, at)}, lifetime ${ndp.routerLifetime(bytes, at)} s`;
    case Type.NeighbourSolicitation:
    case Type.NeighbourAdvertisement:
    case Type.Redirect:
      return addressAt("target", bytes, at + TARGET, end);
    case Type.MulticastListenerQuery:
    case Type.MulticastListenerReport:
    case Type.MulticastListenerDone:
      return addressAt("group", bytes, at + TARGET, end);
    case Type.MulticastListenerReportV2:
      return groupRecords(bytes, at + mld.REPORT2_LENGTH, end, get16(bytes, at + 6), false).join(", ");
    default:
      return "";
  }
}

function addressAt(name: string, bytes: Uint8Array, at: number, end: number): string {
  return end - at < 16 ? "" : `${name} ${new Address().readV6(bytes, at)}`;
}

/**
 * Printing ICMPv6: echoes, errors, NDP and MLD.
 *
 * @module
 */
import { Address } from "./address.ts";
import { get32 } from "./bytes.ts";
import { WireError } from "./error.ts";
import * as icmpv6 from "./icmpv6.ts";
import { codeName, typeName } from "./icmpv6-names.ts";
import {
  broken,
  checksumField,
  checksumMark,
  count,
  type Printed,
  printed,
  type Printer,
  type Scope,
} from "./pretty-text.ts";

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
  const { bytes, cut } = scope;
  const error = icmpv6.check(bytes, at, end);
  if (error !== WireError.None) return broken("ICMPv6", error, at, end);
  const type = icmpv6.type(bytes, at);
  const code = icmpv6.code(bytes, at);
  const right = icmpv6.verifyChecksum(bytes, at, end, source, destination);
  const name = ["ICMPv6 " + typeName(type), codeName(type, code)].filter((text) => text !== "").join(", ");
  const rest = restOf(bytes, at, end, type);
  const marks = checksumMark(cut, right);
  const fields = [`type ${type}, code ${code}`, checksumField(icmpv6.checksum(bytes, at), cut, right)];
  if (rest !== "") fields.push(rest);
  const data = at + icmpv6.HEADER_LENGTH;
  if (icmpv6.isError(type)) {
    const quoted = quote({ bytes, cut: true, depth: scope.depth - 1 }, data, end);
    const line = [name, rest, `for ${quoted.line}`].filter((text) => text !== "");
    return printed(line.join(", ") + marks, name, fields, quoted);
  }
  fields.push(`data ${count(end - data)}`);
  const line = [name, rest, `length ${end - at}`].filter((text) => text !== "").join(", ");
  return printed(line + marks, name, fields);
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
    case Type.NeighbourSolicitation:
    case Type.NeighbourAdvertisement:
    case Type.Redirect:
      return addressAt("target", bytes, at + TARGET, end);
    case Type.MulticastListenerQuery:
    case Type.MulticastListenerReport:
    case Type.MulticastListenerDone:
      return addressAt("group", bytes, at + TARGET, end);
    default:
      return "";
  }
}

function addressAt(name: string, bytes: Uint8Array, at: number, end: number): string {
  return end - at < 16 ? "" : `${name} ${new Address().readV6(bytes, at)}`;
}

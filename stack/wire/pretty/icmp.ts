/**
 * Printing ICMP: what the messages of both versions have in common, and ICMPv4.
 *
 * @module
 */
import { formatV4 } from "../address-text.ts";
import { get32 } from "../bytes.ts";
import { WireError } from "../error.ts";
import * as icmpv4 from "../icmpv4.ts";
import { codeName, typeName } from "../icmpv4-names.ts";
import {
  broken,
  checksumField,
  checksumMark,
  count,
  type Printed,
  printed,
  type Printer,
  type Scope,
} from "./text.ts";

/** What a version of ICMP says of a message. */
export interface MessageText {
  /** The type and the code in words. */
  readonly name: string;
  /** What the type gives a meaning behind the checksum; "": nothing. */
  readonly rest: string;
  /** Whether the checksum is right. */
  readonly right: boolean;
  /** Whether it quotes the packet that it is about. */
  readonly isError: boolean;
  /** More lines for the tree, such as options. */
  readonly more: readonly string[];
}

/** Prints a message whose header is whole. `quote` prints the packet that an error is about. */
export function printMessage(
  text: MessageText,
  quote: Printer,
  scope: Scope,
  at: number,
  end: number,
): Printed {
  const { bytes, cut } = scope;
  const { name, rest, right } = text;
  const marks = checksumMark(cut, right);
  const fields = [
    `type ${icmpv4.type(bytes, at)}, code ${icmpv4.code(bytes, at)}`,
    checksumField(icmpv4.checksum(bytes, at), cut, right),
  ];
  if (rest !== "") fields.push(rest);
  const data = at + icmpv4.HEADER_LENGTH;
  if (text.isError) {
    // RFC 792: the quoted packet is cut after 8 bytes of payload or more, which is no fault of it.
    const quoted = quote({ bytes, cut: true, depth: scope.depth - 1 }, data, end);
    const line = [name, rest, `for ${quoted.line}`].filter((part) => part !== "");
    return printed(line.join(", ") + marks, name, fields, quoted);
  }
  fields.push(...text.more, `data ${count(end - data)}`);
  const line = [name, rest, `length ${end - at}`].filter((part) => part !== "").join(", ");
  return printed(line + marks, name, fields);
}

/** Prints an ICMPv4 message. `quote` prints the packet that an error is about. */
export function printIcmpv4(quote: Printer, scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = icmpv4.check(bytes, at, end);
  if (error !== WireError.None) return broken("ICMP", error, at, end);
  const type = icmpv4.type(bytes, at);
  const code = icmpv4.code(bytes, at);
  const text = {
    name: ["ICMP " + typeName(type), codeName(type, code)].filter((part) => part !== "").join(", "),
    rest: restOf(bytes, at, type, code),
    right: icmpv4.verifyChecksum(bytes, at, end),
    isError: icmpv4.isError(type),
    more: [],
  };
  return printMessage(text, quote, scope, at, end);
}

/** What the last four bytes of the header say for this type. */
function restOf(bytes: Uint8Array, at: number, type: number, code: number): string {
  switch (type) {
    case icmpv4.Type.EchoRequest:
    case icmpv4.Type.EchoReply:
    case icmpv4.Type.TimestampRequest:
    case icmpv4.Type.TimestampReply:
      return `id ${icmpv4.identifier(bytes, at)}, seq ${icmpv4.sequence(bytes, at)}`;
    case icmpv4.Type.DestinationUnreachable:
      return code === icmpv4.Unreachable.FragmentationNeeded ? `mtu ${icmpv4.nextHopMtu(bytes, at)}` : "";
    case icmpv4.Type.Redirect:
      return `gateway ${formatV4(get32(bytes, at + icmpv4.GATEWAY))}`;
    case icmpv4.Type.ParameterProblem:
      return code === icmpv4.Problem.Pointer ? `pointer ${icmpv4.pointer(bytes, at)}` : "";
    default:
      return "";
  }
}

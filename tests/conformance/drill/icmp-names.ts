/**
 * How a drill script calls ICMP's types and codes.
 *
 * @module
 */
import * as icmpv4 from "../../../stack/wire/icmpv4.ts";

/** A type's number, and its codes by name. */
interface TypeEntry {
  readonly type: number;
  readonly codes: Readonly<Record<string, number>>;
}

const { Type, Unreachable, Exceeded, Problem } = icmpv4;

const V4: Readonly<Record<string, TypeEntry>> = {
  echo_reply: { type: Type.EchoReply, codes: {} },
  unreachable: {
    type: Type.DestinationUnreachable,
    codes: {
      net_unreachable: Unreachable.Net,
      host_unreachable: Unreachable.Host,
      protocol_unreachable: Unreachable.Protocol,
      port_unreachable: Unreachable.Port,
      frag_needed: Unreachable.FragmentationNeeded,
      source_route_failed: Unreachable.SourceRouteFailed,
      net_unknown: Unreachable.NetUnknown,
      host_unknown: Unreachable.HostUnknown,
      source_host_isolated: Unreachable.SourceHostIsolated,
      net_prohibited: Unreachable.NetProhibited,
      host_prohibited: Unreachable.HostProhibited,
      net_unreachable_for_tos: Unreachable.NetForTrafficClass,
      host_unreachable_for_tos: Unreachable.HostForTrafficClass,
      packet_filtered: Unreachable.AdministrativelyProhibited,
      precedence_violation: Unreachable.HostPrecedenceViolation,
      precedence_cutoff: Unreachable.PrecedenceCutoff,
    },
  },
  source_quench: { type: Type.SourceQuench, codes: {} },
  redirect: { type: Type.Redirect, codes: { net: 0, host: 1, tos_net: 2, tos_host: 3 } },
  echo_request: { type: Type.EchoRequest, codes: {} },
  time_exceeded: {
    type: Type.TimeExceeded,
    codes: { exceeded_hop_limit: Exceeded.HopLimit, exceeded_frag_time: Exceeded.Reassembly },
  },
  parameter_problem: {
    type: Type.ParameterProblem,
    codes: { pointer: Problem.Pointer, missing_option: Problem.MissingOption, bad_length: Problem.BadLength },
  },
  timestamp_request: { type: Type.TimestampRequest, codes: {} },
  timestamp_reply: { type: Type.TimestampReply, codes: {} },
  information_request: { type: Type.InformationRequest, codes: {} },
  information_reply: { type: Type.InformationReply, codes: {} },
  address_mask_request: { type: Type.AddressMaskRequest, codes: {} },
  address_mask_reply: { type: Type.AddressMaskReply, codes: {} },
};

// RFC 4443 2.1, 3 and 4.
const V6: Readonly<Record<string, TypeEntry>> = {
  unreachable: {
    type: 1,
    codes: {
      no_route: 0,
      net_unreachable: 0,
      admin_prohibited: 1,
      not_neighbour: 2,
      beyond_scope: 2,
      address_unreachable: 3,
      port_unreachable: 4,
    },
  },
  packet_too_big: { type: 2, codes: {} },
  time_exceeded: { type: 3, codes: { exceeded_hop_limit: 0, exceeded_frag_time: 1 } },
  parameter_problem: { type: 4, codes: { header_field: 0, unknown_next_header: 1, unknown_option: 2 } },
  echo_request: { type: 128, codes: {} },
  echo_reply: { type: 129, codes: {} },
};

/** The numbers of a type and a code, by name or as `type_9` and `code_9`; or what is wrong with the names. */
export function icmpNumbers(
  isV4: boolean,
  type: string,
  code: string | undefined,
): { readonly type: number; readonly code: number } | string {
  const table = isV4 ? V4 : V6;
  const entry = Object.hasOwn(table, type) ? table[type] : undefined;
  const typeNumber = entry?.type ?? numbered(type, "type_");
  if (typeNumber === undefined) return `"${type}" is no type of ${isV4 ? "ICMP" : "ICMPv6"}`;
  if (code === undefined) return { type: typeNumber, code: 0 };
  const codes = entry?.codes ?? {};
  const codeNumber = (Object.hasOwn(codes, code) ? codes[code] : undefined) ?? numbered(code, "code_");
  return codeNumber === undefined
    ? `"${code}" is no code of "${type}"`
    : { type: typeNumber, code: codeNumber };
}

/** A type and a code as a script would write them. */
export function icmpText(isV4: boolean, type: number, code: number): string {
  for (const [name, entry] of Object.entries(isV4 ? V4 : V6)) {
    if (entry.type !== type) continue;
    const found = Object.entries(entry.codes).find(([, number]) => number === code)?.[0];
    return found !== undefined ? `${name} ${found}` : code === 0 ? name : `${name} code_${code}`;
  }
  return `type_${type} code_${code}`;
}

/** Whether an echo's identifier and sequence number are in the message. */
export function isEcho(isV4: boolean, type: number): boolean {
  return isV4 ? type === Type.EchoRequest || type === Type.EchoReply : type === 128 || type === 129;
}

/** Whether the message is about a packet that it quotes. */
export function isError(isV4: boolean, type: number): boolean {
  return isV4 ? icmpv4.isError(type) : type < 128;
}

function numbered(text: string, prefix: string): number | undefined {
  const number = text.startsWith(prefix) ? Number(text.slice(prefix.length)) : NaN;
  return Number.isInteger(number) && number >= 0 && number <= 0xff ? number : undefined;
}

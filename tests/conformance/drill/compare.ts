/**
 * Holds a packet that the stack has sent against the one that the script expects.
 *
 * @module
 */
import { WireError } from "../../../stack/wire/error.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import {
  type Actual,
  type ActualIcmp,
  type ActualTcp,
  type ActualUdp,
  ecnText,
  flagsText,
} from "./actual.ts";
import type { IcmpBody, PacketAction, TcpBody, TcpOption, UdpBody } from "./ast.ts";
import { endsOf } from "./build.ts";
import type { Config } from "./config.ts";
import type { Flow } from "./flow.ts";
import { icmpNumbers, icmpText, isEcho, isError } from "./icmp-names.ts";
import { datagramBytes, firstDifference, streamBytes } from "./pattern.ts";
import { optionsText } from "./tcp-options.ts";

/** Collects differences, each a line: the field, what was expected, what is there. */
class Differences {
  readonly list: string[] = [];

  add(field: string, expected: unknown, actual: unknown): void {
    this.list.push(`${field}: expected ${expected}, but it is ${actual}`);
  }

  check(field: string, expected: number | string, actual: number | string): void {
    if (expected !== actual) this.add(field, expected, actual);
  }
}

/** What a packet is held against besides the script's line. */
export interface Expectation {
  readonly flow: Flow;
  readonly config: Config;
  /** The packets that have come in: what errors may quote. */
  readonly injected: readonly Uint8Array[];
}

/** How a packet differs from what the script expects; empty: it does not. Learns the numbers the stack has chosen. */
export function differences(action: PacketAction, actual: Actual, expectation: Expectation): string[] {
  const found = new Differences();
  const { body, ip } = action;
  const kind = actual.body.kind === "other" ? `protocol ${actual.body.protocol}` : actual.body.kind;
  if (actual.body.kind !== body.kind) found.add("protocol", body.kind, kind);
  const ends = endsOf(action, expectation.flow);
  found.check("source", ends.source.address.toString(), actual.source.toString());
  found.check("destination", ends.destination.address.toString(), actual.destination.toString());
  if (ip.ecn === "ect01") {
    if ((actual.trafficClass & 3) % 3 === 0) found.add("ecn", "ect0 or ect1", ecnText(actual.trafficClass));
  } else if (ip.ecn !== undefined) found.check("ecn", ip.ecn, ecnText(actual.trafficClass));
  if (ip.trafficClass !== undefined) found.check("tos", hex(ip.trafficClass), hex(actual.trafficClass));
  if (ip.hopLimit !== undefined) found.check("ttl", ip.hopLimit, actual.hopLimit);
  if (ip.flowLabel !== undefined) found.check("flowlabel", hex(ip.flowLabel), hex(actual.flowLabel));
  if (ip.totalLength !== undefined) found.check("len", ip.totalLength, actual.length);
  if (actual.body.kind === "tcp" || actual.body.kind === "udp") {
    found.check("source port", ends.source.port, actual.body.sourcePort);
    found.check("destination port", ends.destination.port, actual.body.destinationPort);
  }
  if (body.kind === "tcp" && actual.body.kind === "tcp") checkTcp(found, body, actual.body, expectation);
  if (body.kind === "udp" && actual.body.kind === "udp") checkUdp(found, body, actual.body, expectation);
  if (body.kind === "icmp" && actual.body.kind === "icmp") {
    checkIcmp(found, body, actual.body, actual.isV4, expectation);
  }
  return [...found.list, ...actual.faults];
}

const hex = (value: number) => `0x${value.toString(16)}`;

function checkTcp(found: Differences, body: TcpBody, actual: ActualTcp, { flow, config }: Expectation): void {
  found.check("flags", flagsText(body.flags.bits), flagsText(actual.flags));
  const isSyn = (body.flags.bits & actual.flags & tcp.Flag.Syn) !== 0;
  if (isSyn) flow.learnSequence(actual.sequence, body.sequence);
  if ((actual.flags & tcp.Flag.Rst) !== 0) flow.finish();
  found.check("seq", body.sequence, flow.toScript(actual.sequence));
  found.check("payload length", body.length, actual.payload.length);
  if (body.acknowledgment !== undefined) found.check("ack", body.acknowledgment, actual.acknowledgment);
  if (body.window !== undefined) found.check("win", body.window, actual.window);
  if (body.urgent !== undefined) found.check("urg", body.urgent, actual.urgent);
  if (body.options !== "any") checkOptions(found, body.options, actual.options, flow, config);
  if (flow.isPattern) {
    const offset = isSyn ? 0 : (body.sequence - flow.localData) >>> 0;
    checkPayload(found, streamBytes(offset, body.length), actual.payload);
  }
}

function checkOptions(
  found: Differences,
  expected: readonly TcpOption[],
  actual: readonly TcpOption[],
  flow: Flow,
  { tick, tolerance }: Config,
): void {
  // A header is filled up to a whole word with option ends, which scripts do not write.
  const given = [...actual];
  while (given.length > expected.length && given.at(-1)?.kind === "eol") given.pop();
  const shown = given.map((option, index) => {
    const script = expected[index];
    if (option.kind !== "TS") return option;
    if (script?.kind !== "TS") return { ...option, value: flow.timestampToScript(option.value) };
    if (!flow.knowsTimestamp) flow.learnTimestamp(option.value, script.value);
    const value = flow.timestampToScript(option.value);
    // The clock runs on while a packet is late, so a timestamp may be as late.
    const late = (value - script.value) | 0;
    if (Math.abs(late) > Math.ceil(tolerance / tick)) return { ...option, value };
    flow.learnTimestamp(option.value, script.value);
    return { ...option, value: script.value };
  });
  found.check("options", optionsText(expected), optionsText(shown));
}

function checkUdp(found: Differences, body: UdpBody, actual: ActualUdp, { flow }: Expectation): void {
  found.check("payload length", body.length, actual.payload.length);
  if (flow.isPattern) checkPayload(found, datagramBytes(body.length), actual.payload);
}

function checkPayload(found: Differences, expected: Uint8Array, actual: Uint8Array): void {
  const at = firstDifference(expected, actual);
  if (at >= 0) found.add(`payload byte ${at}`, hex(expected[at]!), hex(actual[at]!));
}

function checkIcmp(
  found: Differences,
  body: IcmpBody,
  actual: ActualIcmp,
  isV4: boolean,
  { injected }: Expectation,
): void {
  const numbers = icmpNumbers(isV4, body.type, body.code);
  if (typeof numbers === "string") return found.list.push(numbers), undefined;
  found.check("type", icmpText(isV4, numbers.type, numbers.code), icmpText(isV4, actual.type, actual.code));
  if (body.mtu !== undefined) found.check("mtu", body.mtu, actual.rest);
  if (body.identifier !== undefined) found.check("id", body.identifier, actual.rest >>> 16);
  if (body.sequence !== undefined) found.check("seq", body.sequence, actual.rest & 0xffff);
  if (isEcho(isV4, actual.type)) {
    const length = Math.max(0, (body.quoted?.length ?? 8) - 8);
    found.check("payload length", length, actual.payload.length);
    checkPayload(found, datagramBytes(length), actual.payload);
  } else if (isError(isV4, actual.type)) checkQuotation(found, body, actual.payload, isV4, injected);
}

/** RFC 1122 3.2.2: an error quotes the IP header of the packet that it is about, and at least 8 bytes behind it. */
function checkQuotation(
  found: Differences,
  { quoted }: IcmpBody,
  payload: Uint8Array,
  isV4: boolean,
  injected: readonly Uint8Array[],
): void {
  const about = injected.findLast((packet) => {
    return payload.length <= packet.length && firstDifference(payload, packet) < 0;
  });
  if (about === undefined) {
    found.add("quotation", "the first bytes of a packet that came in", payload.toHex());
    return;
  }
  const header = isV4 ? ipv4.headerLength(about, 0) : ipv6.HEADER_LENGTH;
  const least = Math.min(about.length, header + 8);
  if (payload.length < least) found.add("quoted bytes", `at least ${least}`, payload.length);
  if (quoted === undefined || quoted.kind === "raw") return;
  const protocol = isV4 ? ipv4.protocol(about, 0) : ipv6.nextHeader(about, 0);
  const expected = quoted.kind === "udp" ? Protocol.Udp : Protocol.Tcp;
  found.check("quoted protocol", expected, protocol);
  if (protocol !== expected) return;
  const behind = quoted.kind === "udp" || tcp.check(about, header, about.length) !== WireError.None
    ? 8
    : tcp.headerLength(about, header);
  found.check("quoted payload length", quoted.length, about.length - header - behind);
}

/** Prints packets: a line each, or a "packet" event. */
import { describe, describeIp, type Direction, explain, explainIp, LinkType } from "../mod.ts";
import type { Output } from "./cli/output.ts";

/** A packet to print. */
export interface Printable {
  /** When it passed, in microseconds since 1970. */
  readonly time: number;
  readonly direction?: Direction | undefined;
  /** It is `bytes[start..end)`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** What it starts with, as captures number it. */
  readonly linkType: number;
  /** How long it was on the wire, if it is not all there. */
  readonly originalLength?: number | undefined;
  /** What somebody noted on it. */
  readonly comment?: string | undefined;
}

/** The number of Ethernet, and those of packets that start with their IP header: LINKTYPE_RAW, _IPV4, _IPV6. */
const ETHERNET: number = LinkType.Ethernet;
const IP: ReadonlySet<number> = new Set([LinkType.Raw, LinkType.Ipv4, LinkType.Ipv6]);

/** Local time with microseconds, as tcpdump writes it. */
export function localTime(micros: number): string {
  const date = new Date(Math.floor(micros / 1_000));
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, "0")
  );
  return `${parts.join(":")}.${fraction(micros)}`;
}

/** RFC 3339 in UTC with microseconds. */
export function utcTime(micros: number): string {
  return `${new Date(Math.floor(micros / 1_000)).toISOString().slice(0, -5)}.${fraction(micros)}Z`;
}

function fraction(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  return String(micros - seconds * 1_000_000).padStart(6, "0");
}

/** Prints a packet; with `details`, every field of every header, too. */
export function printPacket(output: Output, packet: Printable, details: boolean): void {
  const { direction, comment, time } = packet;
  const captured = packet.end - packet.start;
  const isCut = packet.originalLength !== undefined && packet.originalLength > captured;
  const { summary, fields } = read(packet, details);
  if (output.json) {
    output.aside("packet", {
      time: utcTime(time),
      direction,
      length: packet.originalLength ?? captured,
      captured: isCut ? captured : undefined,
      summary,
      fields,
      comment,
    });
    return;
  }
  const way = direction === undefined
    ? "   "
    : direction === "in"
    ? output.paint("cyan", "in ")
    : output.paint("green", "out");
  const cut = isCut ? ` [${captured} of ${packet.originalLength} bytes captured]` : "";
  output.line(`${output.paint("dim", localTime(time))} ${way} ${summary}${cut}`);
  for (const line of fields ?? []) output.line(`    ${line}`);
  if (comment !== undefined) output.line(output.paint("yellow", `    # ${printable(comment)}`));
}

function read(packet: Printable, details: boolean): { summary: string; fields?: string[] } {
  const { bytes, start, end, linkType } = packet;
  if (linkType === ETHERNET) {
    const summary = describe(bytes, start, end);
    return details ? { summary, fields: explain(bytes, start, end) } : { summary };
  }
  if (IP.has(linkType)) {
    const summary = describeIp(bytes, start, end);
    return details ? { summary, fields: explainIp(bytes, start, end) } : { summary };
  }
  return { summary: `link type ${linkType}, which is not read, length ${end - start}` };
}

/** The text on one line, without what a terminal would obey. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => {
    return sign === "\n" ? "; " : `\\u{${sign.codePointAt(0)!.toString(16)}}`;
  });
}

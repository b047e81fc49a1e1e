/**
 * Printing IPv6's extension headers.
 *
 * @module
 */
import * as extension from "../ipv6-extension.ts";
import { count, hex } from "./text.ts";
import { Protocol, protocolName } from "../protocol.ts";

/** More headers are not looked at: nobody sends them. */
const HEADERS_MAX = 16;

/** The extension headers of a packet, and where they end. */
export interface Chain {
  /** What follows them; an extension header's number where that is not whole. */
  readonly protocol: number;
  /** Where that begins. */
  readonly at: number;
  /** A line for each of them. */
  readonly fields: readonly string[];
  /** What is said of the fragment header; undefined: there is none, or it divides nothing. */
  readonly fragment: string | undefined;
  /** Whether this is a later fragment, in which nothing begins. */
  readonly isLater: boolean;
}

/** Reads the headers of the packet whose first one, if it has any, is at `bytes[at..end)`. */
export function readChain(bytes: Uint8Array, first: number, start: number, end: number): Chain {
  const fields: string[] = [];
  let [protocol, at] = [first, start];
  let fragment: string | undefined;
  while (extension.isExtension(protocol) && fields.length < HEADERS_MAX && end - at >= extension.LENGTH_MIN) {
    const isFragment = protocol === Protocol.Fragment;
    const length = isFragment ? extension.FRAGMENT_LENGTH : extension.length(bytes, at);
    if (end - at < length) break;
    const next = extension.nextHeader(bytes, at);
    const what = isFragment ? describeFragment(bytes, at) : count(length);
    fields.push(
      `${protocolName(protocol)} ${what}${routeOf(bytes, at, protocol)}, next header ${protocolName(next)}`,
    );
    if (isFragment && !extension.isAtomic(bytes, at)) fragment = describeFragment(bytes, at);
    const isLater = isFragment && extension.fragmentOffset(bytes, at) > 0;
    protocol = next;
    at += length;
    if (isLater) return { protocol, at, fields, fragment, isLater };
  }
  return { protocol, at, fields, fragment, isLater: false };
}

function routeOf(bytes: Uint8Array, at: number, protocol: number): string {
  if (protocol !== Protocol.Routing) return "";
  return `, type ${extension.routingType(bytes, at)}, segments left ${extension.segmentsLeft(bytes, at)}`;
}

function describeFragment(bytes: Uint8Array, at: number): string {
  const id = hex(extension.identification(bytes, at), 8);
  return `id ${id}, offset ${extension.fragmentOffset(bytes, at)}, ${
    extension.moreFragments(bytes, at) ? "more" : "last"
  }`;
}

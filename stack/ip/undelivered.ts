/**
 * Telling senders of passed-on packets that the last link's host does not answer (RFC 1812 4.3.3.1, RFC 4861 7.2.2).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Origin, WaitingPacket } from "../host/neighbour-queue.ts";
import type { Instant } from "../store/time.ts";
import { copyBytes } from "../store/copy.ts";
import { Address } from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as extension from "../wire/ipv6-extension.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Ip } from "./endpoint.ts";
import { quoteMax, writeError } from "./errors.ts";
import type { IpInit, IpRaw } from "./packet.ts";

/** Errors in line. More at once would be of little use to anybody: the limit is a rate, too. */
const IN_LINE = 16;

const UNSPECIFIED = new Address();

class ReusedIpInit implements IpInit {
  readonly source = UNSPECIFIED;
  destination = UNSPECIFIED;
  protocol: number = Protocol.Icmp;
  length = 0;
}

/** What an error is to quote. Reused; the memory is there once it is needed. */
class Quote {
  bytes: Uint8Array | undefined;
  length = 0;
  isV4 = true;
  readonly sender = new Address();
}

/** The errors of a router's link about packets that came in by it, and waited on another link in vain. */
export class Undelivered implements Origin {
  readonly #ip: Ip;
  readonly #line = Array.from({ length: IN_LINE }, () => new Quote());
  readonly #init = new ReusedIpInit();
  #first = 0;
  #count = 0;

  /** An empty line. */
  constructor(ip: Ip) {
    this.#ip = ip;
  }

  /** Whether an error is to be sent. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  undelivered({ bytes, at, end, etherType }: WaitingPacket): void {
    const isV4 = etherType === EtherType.Ipv4;
    if (this.#count === IN_LINE || !mayReport(bytes, at, end, isV4)) {
      this.#ip.counters.unsentErrors++;
      return;
    }
    const quote = this.#line[(this.#first + this.#count++) % IN_LINE]!;
    quote.isV4 = isV4;
    quote.length = Math.min(end - at, quoteMax(isV4));
    if (isV4) quote.sender.readV4(bytes, at + ipv4.SOURCE);
    else quote.sender.readV6(bytes, at + ipv6.SOURCE);
    copyBytes(quote.bytes ??= new Uint8Array(quoteMax(false)), 0, bytes, at, quote.length);
  }

  /** Fills an empty buffer with the next error that may be sent; false: there is none. */
  send(raw: IpRaw, now: Instant): boolean {
    const { counters } = this.#ip;
    while (this.#count > 0) {
      const quote = this.#line[this.#first]!;
      this.#first = (this.#first + 1) % IN_LINE;
      this.#count--;
      if (this.#report(raw, quote, now)) {
        counters.errorsSent++;
        return true;
      }
      counters.unsentErrors++;
    }
    return false;
  }

  #report(raw: IpRaw, { bytes, isV4, length, sender }: Quote, now: Instant): boolean {
    // RFC 1812 4.3.2.8, RFC 4443 2.4 f: the same limit as for all errors.
    if (bytes === undefined || !this.#ip.errors.mayReport(now)) return false;
    const init = this.#init;
    init.destination = sender;
    init.protocol = isV4 ? Protocol.Icmp : Protocol.Icmpv6;
    init.length = icmpv4.HEADER_LENGTH + length;
    const out = raw.prepare(init);
    if (typeof out === "number") return false;
    copyBytes(out.frame.bytes, out.payloadAt + icmpv4.HEADER_LENGTH, bytes, 0, length);
    const error = isV4
      ? writeError(out, icmpv4.Type.DestinationUnreachable, icmpv4.Unreachable.Host, 0)
      : writeError(out, icmpv6.Type.DestinationUnreachable, icmpv6.Unreachable.Address, 0);
    return error === LayerError.None;
  }
}

/** No error about an error, or about a later fragment (RFC 1812 4.3.2.7, RFC 4443 2.4 e). */
function mayReport(bytes: Uint8Array, at: number, end: number, isV4: boolean): boolean {
  if (isV4) {
    if (ipv4.fragmentOffset(bytes, at) !== 0) return false;
    const payloadAt = at + ipv4.headerLength(bytes, at);
    return ipv4.protocol(bytes, at) !== Protocol.Icmp ||
      (payloadAt < end && !icmpv4.isError(icmpv4.type(bytes, payloadAt)));
  }
  let protocol = ipv6.nextHeader(bytes, at);
  let payloadAt = at + ipv6.HEADER_LENGTH;
  while (extension.isExtension(protocol) && payloadAt + extension.LENGTH_MIN <= end) {
    const isFragment = protocol === Protocol.Fragment;
    // The first one tells, for all of them.
    if (isFragment && extension.fragmentOffset(bytes, payloadAt) !== 0) return false;
    protocol = extension.nextHeader(bytes, payloadAt);
    payloadAt += isFragment ? extension.FRAGMENT_LENGTH : extension.length(bytes, payloadAt);
  }
  if (protocol !== Protocol.Icmpv6) return true;
  if (payloadAt >= end) return false;
  const about = icmpv4.type(bytes, payloadAt);
  return !icmpv6.isError(about) && about !== icmpv6.Type.Redirect;
}

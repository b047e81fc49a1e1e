/**
 * ICMP errors about received packets, of both families, and the rules that forbid them (RFC 1122 3.2.2, RFC 4443 2.4).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { Scope } from "../host/addresses.ts";
import type { Random } from "../loss/random.ts";
import { completeChecksum } from "../offload.ts";
import type { Instant } from "../store/time.ts";
import { TokenBucket } from "../store/token-bucket.ts";
import { Address } from "../wire/address.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Protocol } from "../wire/protocol.ts";
import type { IpIn, IpInit, IpOut } from "./packet.ts";

/** The longest error with its IP header: as much is quoted as fits (RFC 1812 4.3.2.3; RFC 4443 2.4 c). */
const LENGTH_MAX_V4 = 576, LENGTH_MAX_V6 = ipv6.MTU_MIN;

const UNSPECIFIED = new Address();

class ReusedIpInit implements IpInit {
  source = UNSPECIFIED;
  destination = UNSPECIFIED;
  protocol: number = Protocol.Icmp;
  length = 0;
  readonly trafficClass = 0;
}

/** Turns packets into errors about them, in their own buffers, and not too many of them. */
export class ErrorReporter {
  // RFC 1812 4.3.2.8, RFC 4443 2.4 f.
  readonly #limit: TokenBucket;
  readonly #random: Random;
  readonly #init = new ReusedIpInit();

  /** A reporter that sends about `rate` errors a second, about `burst` of them at once. */
  constructor(rate: number, burst: number, random: Random) {
    this.#limit = new TokenBucket(rate, burst);
    this.#random = random;
  }

  /**
   * Whether one more error may be sent now, which then counts. Each takes one token on average, none or two by chance:
   * otherwise a stranger could count with errors about forged packets which ports are open, and answer for a DNS server
   * there (CVE-2020-25705).
   */
  mayReport(now: Instant): boolean {
    return this.#limit.take(now, this.#random.below(3));
  }

  /**
   * Sends an error about `packet`, which is then gone, with the type and code of the packet's family. `Illegal`: the
   * RFCs forbid it. `Exhausted`: too many errors of late. Refused, the packet is as it was.
   * Whoever asks for an error counts it.
   */
  report(packet: IpIn, type: number, code: number, rest: number): LayerError {
    if (!mayReport(packet, type, code)) return LayerError.Illegal;
    if (!this.mayReport(packet.info.timestamp)) return LayerError.Exhausted;
    const { addresses } = packet.ip;
    const { frame, headerAt, isV4 } = packet;
    // What is quoted is quoted as it was on the wire, or would have been.
    completeChecksum(frame);
    const quoted = Math.min(frame.end - headerAt, quoteMax(isV4));
    const { end } = frame;
    frame.truncate(headerAt + quoted);
    const init = this.#init;
    // RFC 4443 2.2 a and d: from the address that it was sent to, if that is one of ours alone.
    init.source = addresses.scope(packet.destination) === Scope.Own ? packet.destination : UNSPECIFIED;
    init.destination = packet.source;
    init.protocol = isV4 ? Protocol.Icmp : Protocol.Icmpv6;
    init.length = icmpv4.HEADER_LENGTH + quoted;
    const out = packet.reinit(init);
    if (typeof out === "number") {
      frame.end = end;
      return out;
    }
    return writeError(out, type, code, rest);
  }

  /** Nobody speaks the packet's protocol (RFC 1122 3.2.2.1, RFC 8200 4). Answers as `report` does. */
  unknownProtocol(packet: IpIn): LayerError {
    if (packet.isV4) {
      return this.report(packet, icmpv4.Type.DestinationUnreachable, icmpv4.Unreachable.Protocol, 0);
    }
    const pointer = packet.protocolAt - packet.headerAt;
    return this.report(packet, icmpv6.Type.ParameterProblem, icmpv6.Problem.NextHeader, pointer);
  }

  /** Nobody listens at the packet's port (RFC 1122 4.1.3.1, RFC 4443 3.1). Answers as `report` does. */
  closedPort(packet: IpIn): LayerError {
    return packet.isV4
      ? this.report(packet, icmpv4.Type.DestinationUnreachable, icmpv4.Unreachable.Port, 0)
      : this.report(packet, icmpv6.Type.DestinationUnreachable, icmpv6.Unreachable.Port, 0);
  }
}

/** How many bytes of a packet an error may quote. */
export function quoteMax(isV4: boolean): number {
  return (isV4 ? LENGTH_MAX_V4 - ipv4.HEADER_LENGTH : LENGTH_MAX_V6 - ipv6.HEADER_LENGTH) -
    icmpv4.HEADER_LENGTH;
}

/** Writes an error's header in front of what it quotes, and sends it. */
export function writeError(out: IpOut, type: number, code: number, rest: number): LayerError {
  const { frame, payloadAt: at, isV4, info } = out;
  icmpv4.emitError(frame.bytes, at, type, code, rest);
  if (isV4) {
    if (info.capabilities.icmpv4.fill) icmpv4.fillChecksum(frame.bytes, at, frame.end);
  } else if (info.capabilities.icmpv6.fill) {
    icmpv6.fillChecksum(frame.bytes, at, frame.end, out.source, out.destination);
  }
  return out.send();
}

/** No error about what was sent to many, about an error, about a later fragment, or about what has no single sender. */
function mayReport(packet: IpIn, type: number, code: number): boolean {
  const { isV4, source } = packet;
  if (!source.isUnicast) return false;
  if ((packet.isGroup || packet.link.isGroup) && (isV4 || !concernsGroups(type, code))) return false;
  const { frame, headerAt, payloadAt, protocol } = packet;
  if (isV4 && ipv4.fragmentOffset(frame.bytes, headerAt) !== 0) return false;
  if (protocol !== (isV4 ? Protocol.Icmp : Protocol.Icmpv6)) return true;
  if (payloadAt >= frame.end) return false;
  const about = icmpv4.type(frame.bytes, payloadAt);
  return isV4 ? !icmpv4.isError(about) : !icmpv6.isError(about) && about !== icmpv6.Type.Redirect;
}

/** RFC 4443 2.4 e.3: path MTU discovery and options that ask for it work for groups of IPv6, too. */
function concernsGroups(type: number, code: number): boolean {
  return type === icmpv6.Type.PacketTooBig ||
    (type === icmpv6.Type.ParameterProblem && code === icmpv6.Problem.Option);
}

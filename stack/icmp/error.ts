/**
 * ICMP errors about received packets, and the rules that forbid them.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { IpIn, IpInit } from "../ip/packet.ts";
import { Address } from "../wire/address.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as ipv4 from "../wire/ipv4.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Icmp } from "./endpoint.ts";

/** The longest error with its IP header: as much is quoted as fits (RFC 1812 4.3.2.3). */
const LENGTH_MAX = 576;

class ReusedIpInit implements IpInit {
  source = new Address();
  destination = new Address();
  readonly protocol = Protocol.Icmp;
  length = 0;
  hopLimit = 0;
  readonly trafficClass = 0;
}

/** Turns packets into errors about them, in their own buffers. */
export class ErrorReporter {
  readonly #icmp: Icmp;
  readonly #init = new ReusedIpInit();

  /** A reporter for an endpoint. */
  constructor(icmp: Icmp) {
    this.#icmp = icmp;
  }

  /** Sends an error about `packet`, which is then gone; refused, it is as it was. */
  report(packet: IpIn, type: number, code: number, rest: number): LayerError {
    const { counters, errors } = this.#icmp;
    if (!mayReport(packet)) {
      counters.forbiddenError++;
      return LayerError.Illegal;
    }
    if (!errors.take(packet.info.timestamp)) {
      counters.limitedError++;
      return LayerError.Exhausted;
    }
    const { frame, headerAt } = packet;
    const quoted = Math.min(frame.end - headerAt, LENGTH_MAX - ipv4.HEADER_LENGTH - icmpv4.HEADER_LENGTH);
    const end = frame.end;
    frame.truncate(headerAt + quoted);
    const init = this.#init;
    init.source = packet.destination;
    init.destination = packet.source;
    init.length = icmpv4.HEADER_LENGTH + quoted;
    init.hopLimit = this.#icmp.hopLimit;
    const out = packet.reinit(init);
    if (typeof out === "number") {
      frame.end = end;
      return out;
    }
    const { bytes } = out.frame;
    icmpv4.emitError(bytes, out.payloadAt, type, code, rest);
    if (out.info.capabilities.icmpv4.fill) icmpv4.fillChecksum(bytes, out.payloadAt, out.frame.end);
    const error = out.send();
    if (error === LayerError.None) {
      counters.sent++;
      counters.errorsSent++;
    }
    return error;
  }
}

/** RFC 1122 3.2.2: no error about what was sent to many, about an ICMP error, or about what has no single sender. */
function mayReport(packet: IpIn): boolean {
  if (packet.isGroup || packet.link.isGroup || !packet.source.isUnicast) return false;
  if (packet.protocol !== Protocol.Icmp) return true;
  const { frame, payloadAt } = packet;
  return payloadAt < frame.end && !icmpv4.isError(icmpv4.type(frame.bytes, payloadAt));
}

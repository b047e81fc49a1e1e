/**
 * Telling senders that their packets were not finished in time (RFC 1122 3.3.2, RFC 8200 4.5).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Instant } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Datagram } from "./datagram.ts";
import type { Ip } from "./endpoint.ts";
import { quoteMax, writeError } from "./errors.ts";
import type { IpInit, IpRaw } from "./packet.ts";

class ReusedIpInit implements IpInit {
  source = new Address();
  destination = new Address();
  protocol: number = Protocol.Icmp;
  length = 0;
}

/** Gives up packets whose time is over, and sends the errors about them. */
export class Expiry {
  readonly #ip: Ip;
  readonly #init = new ReusedIpInit();

  /** The expiry of an endpoint's reassembly. */
  constructor(ip: Ip) {
    this.#ip = ip;
  }

  /** Forgets what is over by now until an error is due about it, and sends that; false: none is due. */
  send(raw: IpRaw, now: Instant): boolean {
    const { reassembly, counters } = this.#ip;
    for (let index = reassembly.nextExpired(now); index >= 0; index = reassembly.nextExpired(now)) {
      counters.reassemblyTimeout++;
      const isSent = this.#isDue(reassembly.at(index)) && this.#report(raw, index, now);
      reassembly.release(index);
      if (isSent) return true;
    }
    return false;
  }

  /** Only if the first fragment came, and of one sender for one host, are the sender's ports or types known to it. */
  #isDue({ headerLength, isGroup, isSpoilt, source }: Datagram): boolean {
    return headerLength > 0 && !isSpoilt && !isGroup && source.isUnicast;
  }

  #report(raw: IpRaw, index: number, now: Instant): boolean {
    const { reassembly, counters, errors } = this.#ip;
    const datagram = reassembly.at(index);
    if (isAboutError(datagram, reassembly.firstByte(index)) || !errors.mayReport(now)) {
      counters.unsentErrors++;
      return false;
    }
    const { isV4, headerLength, firstLength } = datagram;
    const init = this.#init;
    init.source = datagram.destination;
    init.destination = datagram.source;
    init.protocol = isV4 ? Protocol.Icmp : Protocol.Icmpv6;
    const quoted = Math.min(headerLength + firstLength, quoteMax(isV4));
    init.length = icmpv4.HEADER_LENGTH + quoted;
    const out = raw.prepare(init);
    if (typeof out === "number") {
      counters.unsentErrors++;
      return false;
    }
    reassembly.copyFirst(index, out.frame.bytes, out.payloadAt + icmpv4.HEADER_LENGTH, quoted);
    const error = isV4
      ? writeError(out, icmpv4.Type.TimeExceeded, icmpv4.Exceeded.Reassembly, 0)
      : writeError(out, icmpv6.Type.TimeExceeded, icmpv6.Exceeded.Reassembly, 0);
    if (error === LayerError.None) counters.errorsSent++;
    else counters.unsentErrors++;
    return error === LayerError.None;
  }
}

/** No error about an error (RFC 1122 3.2.2, RFC 4443 2.4 e), so far as the first fragment tells. */
function isAboutError({ isV4, header, headerLength, protocolAt }: Datagram, type: number): boolean {
  const protocol = isV4 ? header[protocolAt] : header[headerLength - 8];
  if (isV4) return protocol === Protocol.Icmp && icmpv4.isError(type);
  return protocol === Protocol.Icmpv6 && (icmpv6.isError(type) || type === icmpv6.Type.Redirect);
}

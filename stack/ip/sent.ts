/**
 * What the layers above read of a packet of theirs that comes back to them.
 *
 * @module
 */
import type { WaitingPacket } from "../host/neighbour-queue.ts";
import { Address } from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";

/** An own packet's addresses and payload. What we send has no options and no extension headers. Reused. */
export class Sent {
  readonly source: Address = new Address();
  readonly destination: Address = new Address();
  isV4 = true;
  /** The payload's first byte in the packet's `bytes`. */
  payloadAt = 0;

  /** Reads a packet's header. */
  read({ bytes, at, etherType }: WaitingPacket): this {
    this.isV4 = etherType === EtherType.Ipv4;
    if (this.isV4) {
      this.source.readV4(bytes, at + ipv4.SOURCE);
      this.destination.readV4(bytes, at + ipv4.DESTINATION);
      this.payloadAt = at + ipv4.HEADER_LENGTH;
    } else {
      this.source.readV6(bytes, at + ipv6.SOURCE);
      this.destination.readV6(bytes, at + ipv6.DESTINATION);
      this.payloadAt = at + ipv6.HEADER_LENGTH;
    }
    return this;
  }
}

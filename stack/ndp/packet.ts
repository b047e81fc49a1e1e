/**
 * The messages that a host sends (RFC 4861 4): each fills an empty IP packet and sends it.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { IpInit, IpOut, IpRaw } from "../ip/packet.ts";
import { Address } from "../wire/address.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import type { Mac } from "../wire/mac.ts";
import * as wire from "../wire/ndp.ts";
import * as options from "../wire/ndp-options.ts";
import { Protocol } from "../wire/protocol.ts";

/** ff02::1, all nodes on the link (RFC 4291 2.7.1). */
export const ALL_NODES: Address = new Address().set(0xff020000, 0, 0, 1);
/** ff02::2, all routers on the link (RFC 4291 2.7.1). */
export const ALL_ROUTERS: Address = new Address().set(0xff020000, 0, 0, 2);

/** RFC 4861 11.2: only what no router has passed on has this hop limit. */
export const HOP_LIMIT = 255;

class ReusedIpInit implements IpInit {
  readonly source: Address = new Address();
  readonly destination: Address = new Address();
  readonly protocol = Protocol.Icmpv6;
  readonly hopLimit = HOP_LIMIT;
  length = 0;
  fromNobody = false;
}

/** Writes messages into empty packets, with the own link address where there is room for it. */
export class NdpWriter {
  readonly #mac: Mac;
  readonly #init = new ReusedIpInit();

  /** A writer for a station. */
  constructor(mac: Mac) {
    this.#mac = mac;
  }

  /**
   * A solicitation for `target` (RFC 4861 4.3). An unspecified source makes it one of duplicate address detection
   * (RFC 4862 5.4.2). False: it was not sent.
   */
  solicit(packet: IpRaw, source: Address, destination: Address, target: Address): boolean {
    const isProbe = source.isUnspecified;
    const out = this.#prepare(packet, source, destination, wire.NEIGHBOUR_LENGTH, !isProbe);
    if (out === undefined) return false;
    wire.emitSolicitation(out.frame.bytes, out.payloadAt, target);
    return this.#send(out, isProbe ? 0 : wire.NEIGHBOUR_LENGTH, options.OptionType.SourceLinkAddress);
  }

  /** An advertisement of `target` (RFC 4861 4.4), from it. False: it was not sent. */
  advertise(packet: IpRaw, destination: Address, target: Address, flags: number): boolean {
    const out = this.#prepare(packet, target, destination, wire.NEIGHBOUR_LENGTH, true);
    if (out === undefined) return false;
    wire.emitAdvertisement(out.frame.bytes, out.payloadAt, flags, target);
    return this.#send(out, wire.NEIGHBOUR_LENGTH, options.OptionType.TargetLinkAddress);
  }

  /** A question for routers (RFC 4861 4.1). False: it was not sent. */
  solicitRouters(packet: IpRaw, source: Address): boolean {
    const isProbe = source.isUnspecified;
    const out = this.#prepare(packet, source, ALL_ROUTERS, wire.ROUTER_SOLICITATION_LENGTH, !isProbe);
    if (out === undefined) return false;
    wire.emitRouterSolicitation(out.frame.bytes, out.payloadAt);
    const optionAt = isProbe ? 0 : wire.ROUTER_SOLICITATION_LENGTH;
    return this.#send(out, optionAt, options.OptionType.SourceLinkAddress);
  }

  #prepare(
    packet: IpRaw,
    source: Address,
    destination: Address,
    body: number,
    hasOption: boolean,
  ): IpOut | undefined {
    const init = this.#init;
    init.source.copy(source);
    init.destination.copy(destination);
    init.fromNobody = source.isUnspecified;
    init.length = body + (hasOption ? options.LINK_ADDRESS_LENGTH : 0);
    const out = packet.prepare(init);
    return typeof out === "number" ? undefined : out;
  }

  /** `optionAt`: where the own link address goes behind the header; 0: nowhere. */
  #send(out: IpOut, optionAt: number, option: number): boolean {
    const { frame, payloadAt: at, info } = out;
    if (optionAt > 0) options.emitLinkAddress(frame.bytes, at + optionAt, option, this.#mac);
    if (info.capabilities.icmpv6.fill) {
      icmpv6.fillChecksum(frame.bytes, at, frame.end, out.source, out.destination);
    }
    return out.send() === LayerError.None;
  }
}

/**
 * How a host on a link comes by addresses that nobody gave it, and makes sure of those that somebody did.
 *
 * @module
 */
import { AddressOrigin, AddressState, type OwnAddress } from "../host/addresses.ts";
import type { Ip } from "../ip/endpoint.ts";
import type { SipKey } from "../store/siphash.ts";
import type { Mac } from "../wire/mac.ts";
import { Membership } from "../multicast/endpoint.ts";
import { Ndp } from "./endpoint.ts";
import { LinkControls } from "./link-controls.ts";

/** What an {@linkcode Autoconf} is to do. */
export interface AutoconfOptions {
  /** The own link address. */
  readonly mac: Mac;
  /** 128 secret bits: a host that keeps them has the same addresses again (RFC 7217). */
  readonly secret: SipKey;
  /** Makes addresses of the prefixes that routers advertise (RFC 4862). Default false. */
  readonly slaac?: boolean;
  /** Makes temporary addresses beside those (RFC 8981). Default false. */
  readonly temporary?: boolean;
  /** Takes an IPv4 link-local address (RFC 3927). Default false. */
  readonly linkLocal?: boolean;
  /**
   * Looks for others that have the given addresses before they are used (RFC 5227, RFC 4862 5.4): it takes some
   * seconds. Default false: they are used at once, and defended.
   */
  readonly detectConflicts?: boolean;
  /**
   * Tells the link of addresses when they come into use, so that nobody goes on sending to a station that had them
   * before (RFC 5227 2.3, RFC 4861 7.2.6). Default false: only of IPv4 addresses that were probed for.
   */
  readonly announce?: boolean;
}

/** The addresses of a host as they come to be. NDP is spoken where there is IPv6. */
export class Autoconf {
  /** NDP; undefined: the host has no IPv6. */
  readonly ndp: Ndp | undefined;
  /** IGMP and MLD. */
  readonly membership: Membership;
  readonly #ip: Ip;
  readonly #isV4LinkLocal: boolean;

  /** Takes over a host that has the given addresses. */
  constructor(ip: Ip, options: AutoconfOptions) {
    this.#ip = ip;
    this.#isV4LinkLocal = options.linkLocal ?? false;
    const given = [...ip.addresses];
    if (options.detectConflicts ?? false) {
      for (const { address } of given) ip.addresses.setState(address, AddressState.Tentative);
    }
    ip.arp.conflicts.announcesAll = options.announce ?? false;
    if (this.#isV4LinkLocal) ip.arp.conflicts.useLinkLocal();
    const slaac = options.slaac ?? false;
    this.membership = new Membership(ip, options.secret[1]);
    ip.linkControl = new LinkControls(undefined, this.membership);
    if (!slaac && given.every(({ isV4 }) => isV4)) return;
    this.ndp = new Ndp(ip, {
      mac: options.mac,
      secret: options.secret,
      slaac,
      temporary: options.temporary ?? false,
      announce: options.announce ?? false,
      // RFC 4291 2.1: every interface has a link-local address; one that was given will do.
      linkLocal: !given.some(({ isV4, address }) => !isV4 && address.isLinkLocal),
    });
    ip.linkControl = new LinkControls(this.ndp, this.membership);
  }

  /**
   * Whether all addresses that were asked for are either usable or known not to be had: nobody answers for those that
   * were given, and routers have advertised theirs, or have not for some twelve seconds.
   */
  get isSettled(): boolean {
    const { ndp } = this;
    const entries = this.#ip.addresses.entries();
    if (ndp?.isAutoconfigured === true && ndp.isSearching) return false;
    if (this.#isV4LinkLocal && !entries.some(isUsableV4LinkLocal)) return false;
    return !entries.some((own) => own.state === AddressState.Tentative && this.#isAwaited(own));
  }

  /** Tells the link of all addresses and groups once more and asks for routers, after the cable was pulled: for the next tx. */
  announce(): void {
    this.membership.announce();
    this.#ip.arp.conflicts.announce();
    this.ndp?.announce();
  }

  /** A link-local address that nobody asked for comes when it comes. */
  #isAwaited({ origin }: OwnAddress): boolean {
    return origin !== AddressOrigin.LinkLocal || this.ndp?.isAutoconfigured === true;
  }
}

function isUsableV4LinkLocal({ cidr, origin, state }: OwnAddress): boolean {
  return cidr.isV4 && origin === AddressOrigin.LinkLocal && state === AddressState.Preferred;
}

/**
 * IGMP and MLD: routers and switches are told which groups a host is in (RFC 3376, RFC 3810, and their older versions).
 *
 * @module
 */
import { AddressState } from "../host/addresses.ts";
import type { Ip, LinkControl } from "../ip/endpoint.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import { Random } from "../loss/random.ts";
import { type Instant, milliseconds, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { WireError } from "../wire/error.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import * as igmp from "../wire/igmp.ts";
import * as mld from "../wire/mld.ts";
import { hasRouterAlert } from "./alert.ts";
import { MembershipCounters } from "./counters.ts";
import { Groups } from "./groups.ts";
import { MembershipWriter } from "./packet.ts";

/** 224.0.0.1 */
const ALL_HOSTS = 0xe0000001 | 0;

/** A query's time for answers: tenths of a second (RFC 3376 4.1.1); in IGMPv1 it is ten seconds (RFC 3376 7.2.1). */
const TENTH = milliseconds(100), OLDEST_LIMIT = milliseconds(10_000);

/** RFC 3376 9.1, RFC 3810 6.2: what a router on the link has sent has this hop limit. */
const HOP_LIMIT = 1;

/** The membership of a host in groups, as routers are told of it. The groups are `ip.addresses`'. */
export class Membership implements LinkControl {
  /** What passed and what was dropped. */
  readonly counters: MembershipCounters = new MembershipCounters();
  readonly #ip: Ip;
  readonly #v4: Groups;
  readonly #v6: Groups;
  readonly #writer = new MembershipWriter();
  readonly #group = new Address();
  #version = -1;
  #wakeAt: Instant = NEVER;
  /** Whether a report of MLD came from nobody. */
  #isAnonymous = false;
  /** Whether the link may be another one since groups were told of. */
  #isElsewhere = false;

  /** An endpoint for a host. The seed is for random delays. */
  constructor(ip: Ip, seed: number) {
    this.#ip = ip;
    this.#v4 = new Groups(3, new Random(seed));
    this.#v6 = new Groups(2, new Random(~seed));
  }

  /** Takes a message; of IPv6, header and checksum are right. */
  receive(packet: IpIn): void {
    if (packet.isV4) this.#receiveIgmp(packet);
    else this.#receiveMld(packet);
    this.#wakeAt = Math.min(this.#v4.deadline(), this.#v6.deadline());
  }

  /** Sends a message that is due; false: there is none. */
  send(packet: IpRaw): boolean {
    const now = packet.info.timestamp;
    if (this.deadline() > now) return false;
    this.#follow(now);
    const isSent = this.#sendIgmp(packet, now) || this.#sendMld(packet, now);
    this.#wakeAt = Math.min(this.#v4.deadline(), this.#v6.deadline());
    if (isSent) this.counters.sent++;
    return isSent;
  }

  /** When there is something to say. */
  deadline(): Instant {
    return this.#version === this.#ip.addresses.groupsVersion ? this.#wakeAt : 0;
  }

  /** Tells of all groups once more, after the cable was pulled: whoever is to know of them may be another one. */
  announce(): void {
    this.#isElsewhere = true;
    this.#version = -1;
  }

  #follow(now: Instant): void {
    const { addresses } = this.#ip;
    if (this.#version === addresses.groupsVersion) return;
    this.#version = addresses.groupsVersion;
    const all = addresses.groups();
    this.#v4.follow(all.filter((group) => group.isV4 && isReported(group)), now);
    this.#v6.follow(all.filter((group) => !group.isV4 && isReported(group)), now);
    if (this.#isElsewhere) {
      this.#isElsewhere = false;
      this.#v4.repeat(now);
      this.#v6.repeat(now);
    }
    // RFC 3590 4: routers drop what comes from nobody.
    if (!this.#isAnonymous || this.#linkLocal() === undefined) return;
    this.#isAnonymous = false;
    this.#v6.repeat(now);
  }

  #sendIgmp(packet: IpRaw, now: Instant): boolean {
    for (let report = this.#v4.next(now); report !== undefined; report = this.#v4.next(now)) {
      const source = this.#ip.addresses.sourceFor(report.groups[0]!.address, report.groups[0]!.address);
      if (this.#writer.igmp(packet, report, this.#v4.version(now), source)) return true;
    }
    return false;
  }

  #sendMld(packet: IpRaw, now: Instant): boolean {
    for (let report = this.#v6.next(now); report !== undefined; report = this.#v6.next(now)) {
      const source = this.#linkLocal();
      if (source === undefined) this.#isAnonymous = true;
      if (this.#writer.mld(packet, report, this.#v6.version(now), source)) return true;
    }
    return false;
  }

  /** RFC 3810 5.2.13: from a link-local address, or from nobody while there is none. */
  #linkLocal(): Address | undefined {
    return this.#ip.addresses.entries().find(({ cidr, state }) => {
      return !cidr.isV4 && cidr.address.isLinkLocal &&
        (state === AddressState.Preferred || state === AddressState.Deprecated);
    })?.cidr.address;
  }

  #receiveIgmp(packet: IpIn): void {
    const { counters } = this;
    const { frame, payloadAt: at, hopLimit, info } = packet;
    const { bytes, end } = frame;
    if (igmp.check(bytes, at, end) !== WireError.None) {
      counters.malformed++;
      return;
    }
    const group = this.#group.readV4(bytes, at + igmp.GROUP);
    const now = info.timestamp;
    switch (igmp.type(bytes, at)) {
      case igmp.Type.Query: {
        const about = group.isUnspecified ? undefined : group;
        const code = igmp.code(bytes, at);
        const version = end - at >= igmp.QUERY3_LENGTH ? 3 : code === 0 ? 1 : 2;
        // RFC 3376 9.1: hosts ignore queries of versions 2 and 3 without a router alert, and general ones to others
        // than all hosts. From 0.0.0.0 come those of a switch that has no address (RFC 4541 2.1.1).
        const isAlert = version === 1 || hasRouterAlert(packet);
        const isMisled = about === undefined && version > 1 && packet.destination.d !== ALL_HOSTS;
        if (
          hopLimit !== HOP_LIMIT || end - at > igmp.HEADER_LENGTH && version < 3 || isBad(about) ||
          !isAlert ||
          isMisled
        ) {
          counters.badQuery++;
          return;
        }
        counters.queries++;
        const limit = version === 1 ? OLDEST_LIMIT : (version === 3 ? igmp.codeValue(code) : code) * TENTH;
        return this.#v4.query(version, about, limit, now);
      }
      case igmp.Type.ReportV1:
      case igmp.Type.ReportV2:
        counters.reports++;
        return this.#v4.reported(group, now);
      case igmp.Type.ReportV3:
      case igmp.Type.Leave:
        counters.reports++;
        return;
      default:
        counters.malformed++;
    }
  }

  #receiveMld(packet: IpIn): void {
    const { counters } = this;
    const { frame, payloadAt: at, hopLimit, source, info } = packet;
    const { bytes, end } = frame;
    const type = icmpv6.type(bytes, at);
    // RFC 3810 5.1.14, 5.2.13, 6.2 and RFC 2710 3: what was not sent on this link, for routers to see, is no MLD.
    if (hopLimit !== HOP_LIMIT || !hasRouterAlert(packet) || !(source.isLinkLocal || source.isUnspecified)) {
      counters.badQuery++;
      return;
    }
    const { MulticastListenerQuery, MulticastListenerReport } = icmpv6.Type;
    if (type !== MulticastListenerQuery && type !== MulticastListenerReport) {
      counters.reports++;
      return;
    }
    if (end - at < mld.LENGTH) {
      counters.malformed++;
      return;
    }
    const group = this.#group.readV6(bytes, at + mld.GROUP);
    const now = info.timestamp;
    if (type === MulticastListenerReport) {
      counters.reports++;
      this.#v6.reported(group, now);
      return;
    }
    const version = end - at >= mld.QUERY2_LENGTH ? 2 : 1;
    const about = group.isUnspecified ? undefined : group;
    // RFC 3810 6.2: a query is from a router's link-local address.
    if (!source.isLinkLocal || isBad(about)) {
      counters.badQuery++;
      return;
    }
    counters.queries++;
    const code = mld.code(bytes, at);
    this.#v6.query(version, about, milliseconds(version === 2 ? mld.codeValue(code) : code), now);
  }
}

/** A query is about all groups, or about one. */
function isBad(about: Address | undefined): boolean {
  return about !== undefined && !about.isMulticast;
}

/** RFC 3376 5, RFC 3810 6: nobody is told of the group of all hosts, or of groups that do not leave the host. */
function isReported(group: Address): boolean {
  if (group.isV4) return group.d !== ALL_HOSTS;
  const scope = (group.a >>> 16) & 0xf;
  if (scope < 2) return false;
  return !(group.a === (0xff020000 | 0) && group.b === 0 && group.c === 0 && group.d === 1);
}

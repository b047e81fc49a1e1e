/**
 * The messages of IGMP and MLD that a host sends: each fills an empty IP packet and sends it.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { IpInit, IpOut, IpRaw } from "../ip/packet.ts";
import { Address } from "../wire/address.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import * as igmp from "../wire/igmp.ts";
import * as mld from "../wire/mld.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Report } from "./groups.ts";

// RFC 3376 4.2.14, RFC 2236 2.4; RFC 3810 5.2.14, RFC 2710 3.4.
const REPORTS_V3 = new Address().setV4(0xe0000016), ROUTERS_V4 = new Address().setV4(0xe0000002);
const REPORTS_V2 = new Address().set(0xff020000, 0, 0, 0x16),
  ROUTERS_V6 = new Address().set(0xff020000, 0, 0, 2);

/** RFC 3376 4: a type of service of Internetwork Control. */
const INTERNETWORK_CONTROL = 0xc0;

const NOBODY_V4 = new Address().setV4(0), NOBODY_V6 = new Address();

// RFC 2113 2.1 and RFC 2711 2.1: routers are to look at the packet.
const ALERT_V4 = [0x94, 4, 0, 0], ALERT_V4_LENGTH = 4;
const ALERT_V6 = [Protocol.Icmpv6, 0, 5, 2, 0, 0, 1, 0], ALERT_V6_LENGTH = 8;

/** The version and header length of an IPv4 header with one word of options. */
const WITH_OPTIONS = 0x46, HEADER_LENGTH_V4 = 20;

class ReusedIpInit implements IpInit {
  source = NOBODY_V6;
  destination = NOBODY_V6;
  protocol: number = Protocol.Igmp;
  length = 0;
  trafficClass = 0;
  fromNobody = false;
  /** RFC 3376 4, RFC 3810 5: reports stay on the link. */
  readonly hopLimit = 1;
  readonly dontFragment = true;
}

/** Writes reports into empty packets. */
export class MembershipWriter {
  readonly #init = new ReusedIpInit();

  /** Sends a report of IGMP in a version; false: it was not sent. */
  igmp(packet: IpRaw, { groups, isChange }: Report, version: number, source: Address | undefined): boolean {
    const [first] = groups;
    const isLeave = isChange && !first!.isMember;
    // RFC 1112: in version 1 hosts go without a word.
    if (version === 1 && isLeave) return false;
    const isReport = version === 3;
    const destination = isReport ? REPORTS_V3 : isLeave ? ROUTERS_V4 : first!.address;
    const length = igmp.HEADER_LENGTH + (isReport ? groups.length * igmp.RECORD_LENGTH : 0);
    const out = this.#prepare(
      packet,
      source ?? NOBODY_V4,
      destination,
      Protocol.Igmp,
      ALERT_V4_LENGTH + length,
    );
    if (out === undefined) return false;
    const { bytes, end } = out.frame;
    // The packet has room for the option where its payload begins; the header is made to end behind it.
    bytes[out.payloadAt - HEADER_LENGTH_V4] = WITH_OPTIONS;
    put(bytes, out.payloadAt, ALERT_V4);
    const at = out.payloadAt + ALERT_V4_LENGTH;
    if (isReport) {
      igmp.emitReport(bytes, at, groups.length);
      groups.forEach(({ isMember, address }, index) => {
        const record = at + igmp.HEADER_LENGTH + index * igmp.RECORD_LENGTH;
        igmp.emitRecord(bytes, record, recordType(isMember, isChange), address);
      });
      igmp.fillChecksum(bytes, at, end);
    } else {
      const report = version === 2 ? igmp.Type.ReportV2 : igmp.Type.ReportV1;
      igmp.emit(bytes, at, isLeave ? igmp.Type.Leave : report, first!.address);
    }
    return out.send() === LayerError.None;
  }

  /** Sends a report of MLD in a version; false: it was not sent. */
  mld(packet: IpRaw, { groups, isChange }: Report, version: number, source: Address | undefined): boolean {
    const [first] = groups;
    const isLeave = isChange && !first!.isMember;
    const isReport = version === 2;
    const destination = isReport ? REPORTS_V2 : isLeave ? ROUTERS_V6 : first!.address;
    const length = isReport ? mld.REPORT2_LENGTH + groups.length * mld.RECORD_LENGTH : mld.LENGTH;
    const out = this.#prepare(
      packet,
      source ?? NOBODY_V6,
      destination,
      Protocol.HopByHop,
      ALERT_V6_LENGTH + length,
    );
    if (out === undefined) return false;
    const { bytes, end } = out.frame;
    put(bytes, out.payloadAt, ALERT_V6);
    const at = out.payloadAt + ALERT_V6_LENGTH;
    if (isReport) {
      mld.emitReport(bytes, at, groups.length);
      groups.forEach(({ isMember, address }, index) => {
        const record = at + mld.REPORT2_LENGTH + index * mld.RECORD_LENGTH;
        mld.emitRecord(bytes, record, recordType(isMember, isChange), address);
      });
    } else {
      const { MulticastListenerDone, MulticastListenerReport } = icmpv6.Type;
      mld.emit(bytes, at, isLeave ? MulticastListenerDone : MulticastListenerReport, first!.address);
    }
    icmpv6.fillChecksum(bytes, at, end, out.source, out.destination);
    return out.send() === LayerError.None;
  }

  #prepare(
    packet: IpRaw,
    source: Address,
    destination: Address,
    protocol: number,
    length: number,
  ): IpOut | undefined {
    const init = this.#init;
    init.source = source;
    init.destination = destination;
    init.protocol = protocol;
    init.length = length;
    init.trafficClass = source.isV4 ? INTERNETWORK_CONTROL : 0;
    init.fromNobody = source.isUnspecified;
    const out = packet.prepare(init);
    return typeof out === "number" ? undefined : out;
  }
}

function recordType(isMember: boolean, isChange: boolean): number {
  if (!isChange) return igmp.RecordType.IsExclude;
  return isMember ? igmp.RecordType.ToExclude : igmp.RecordType.ToInclude;
}

function put(bytes: Uint8Array, at: number, values: readonly number[]): void {
  for (let index = 0; index < values.length; index++) bytes[at + index] = values[index]!;
}

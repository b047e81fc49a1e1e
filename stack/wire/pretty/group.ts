/**
 * Printing what is said of groups: IGMP, and the records that it shares with MLD.
 *
 * @module
 */
import { Address } from "../address.ts";
import { get16 } from "../bytes.ts";
import { WireError } from "../error.ts";
import * as igmp from "../igmp.ts";
import { broken, checksumField, checksumMark, count, type Printed, printed, type Scope } from "./text.ts";

/** How many records are printed; a line has no more. */
const RECORDS_MAX = 8;

/** RFC 3376 4.2.12, RFC 3810 5.2.12. */
const RECORD_TYPES = ["", "include", "exclude", "to include", "to exclude", "allow", "block"];

/** The fixed part of a record before its group: type, length of auxiliary data in words, number of sources. */
const RECORD_HEADER = 4;

/** The records of a report that begin at `bytes[record]`, in words: "exclude 224.0.0.251". */
export function groupRecords(
  bytes: Uint8Array,
  record: number,
  end: number,
  records: number,
  isV4: boolean,
): string[] {
  const width = isV4 ? 4 : 16;
  const list: string[] = [];
  for (let left = Math.min(records, RECORDS_MAX); left > 0 && record + RECORD_HEADER + width <= end; left--) {
    const type = bytes[record]!;
    const sources = get16(bytes, record + 2);
    const group = readAddress(bytes, record + RECORD_HEADER, isV4);
    const from = sources === 0 ? "" : ` of ${sources === 1 ? "1 source" : `${sources} sources`}`;
    list.push(`${RECORD_TYPES[type] || `type ${type}`} ${group}${from}`);
    record += RECORD_HEADER + width * (1 + sources) + 4 * bytes[record + 1]!;
  }
  if (records > list.length) list.push(`${records - list.length} more`);
  return list;
}

/** Prints an IGMP message. */
export function printIgmp(scope: Scope, at: number, end: number): Printed {
  const { bytes, cut } = scope;
  const error = igmp.check(bytes, at, end);
  if (error === WireError.Truncated) return broken("IGMP", error, at, end);
  const right = error !== WireError.WrongChecksum;
  const type = igmp.type(bytes, at);
  const isReport = type === igmp.Type.ReportV3;
  const said = isReport
    ? groupRecords(bytes, at + igmp.HEADER_LENGTH, end, igmp.records(bytes, at), true)
    : [`group ${readAddress(bytes, at + igmp.GROUP, true)}`];
  const name = `IGMP ${nameOf(bytes, at, end)}`;
  return printed(
    [name, ...said].join(", ") + checksumMark(cut, right),
    name,
    [`type ${type}`, checksumField(get16(bytes, at + 2), cut, right), ...said, count(end - at)],
  );
}

function nameOf(bytes: Uint8Array, at: number, end: number): string {
  const { Type } = igmp;
  switch (igmp.type(bytes, at)) {
    // RFC 3376 7.1: the version of a query is told by its length and its code.
    case Type.Query:
      return `query ${end - at >= igmp.QUERY3_LENGTH ? "v3" : igmp.code(bytes, at) === 0 ? "v1" : "v2"}`;
    case Type.ReportV1:
      return "report v1";
    case Type.ReportV2:
      return "report v2";
    case Type.Leave:
      return "leave";
    case Type.ReportV3:
      return "report v3";
    default:
      return `type ${igmp.type(bytes, at)}`;
  }
}

function readAddress(bytes: Uint8Array, at: number, isV4: boolean): Address {
  return isV4 ? new Address().readV4(bytes, at) : new Address().readV6(bytes, at);
}

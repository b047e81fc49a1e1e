/** The lines that iperf3 prints of a test. */
import type { Row } from "./measure.ts";
import type { Parameters } from "./parameters.ts";
import type { FinalRow } from "./party.ts";
import type { Ends } from "./stream.ts";
import { bytesText, rateText } from "./units.ts";

/** Between an interval of several streams and the next, and before the end. */
export const RULE = "- - - - - - - - - - - - - - - - - - - - - - - - -";

/** What a row tells, of one stream or of all in its direction. */
interface Line {
  readonly label: string;
  readonly role: string;
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
  readonly rest: string;
}

/** The line of a stream that is there. */
export function streamLine(stream: number, { local, localPort, remote, remotePort }: Ends): string {
  return `[${pad(stream)}] local ${local} port ${localPort} connected to ${remote} port ${remotePort}`;
}

/** The heading of the intervals. */
export function heading(p: Parameters, sends: boolean): string {
  const rest = p.protocol === "tcp"
    ? sends || p.bidirectional ? "Retr  Cwnd" : ""
    : sends && !p.bidirectional
    ? "Total Datagrams"
    : "Jitter    Lost/Total Datagrams";
  return head(p, rest);
}

/** The heading of the end. */
export function finalHeading(p: Parameters): string {
  return head(p, p.protocol === "tcp" ? "Retr" : "Jitter    Lost/Total Datagrams");
}

/** The lines of an interval. */
export function intervalLines(p: Parameters, rows: readonly Row[], isOmitted: boolean): string[] {
  const tail = isOmitted ? "  (omitted)" : "";
  const all = sums(rows.map((row) => ({ ...row, role: roleOf(p, row.sends) })));
  return all.map((row) => line({ ...row, rest: `${intervalRest(row)}${tail}` }));
}

/** The lines of the end: of each stream, what was sent and what was received. */
export function finalLines(p: Parameters, rows: readonly FinalRow[]): string[] {
  const isTcp = p.protocol === "tcp";
  const both = rows.flatMap(({ stream, sends, sender, receiver }) => {
    const of = ({ bytes, seconds }: FinalRow["sender"]) => ({
      stream,
      sends,
      role: roleOf(p, sends),
      start: 0,
      end: seconds,
      bytes,
      cwnd: undefined,
      outOfOrder: 0,
    });
    const { retransmits, packets } = sender;
    return [
      {
        ...of(sender),
        side: "sender",
        retransmits,
        packets: isTcp ? undefined : packets,
        lost: 0,
        jitter: 0,
      },
      {
        ...of(receiver),
        side: "receiver",
        retransmits: undefined,
        packets: isTcp ? undefined : receiver.packets,
        lost: receiver.lost,
        jitter: receiver.jitter,
      },
    ];
  });
  const streams = both.map((row) => line({ ...row, label: pad(row.stream), rest: finalRest(row, row.side) }));
  if (rows.length === (p.bidirectional ? 2 : 1)) return streams;
  const all = [true, false].flatMap((sends) =>
    ["sender", "receiver"].flatMap((side) => {
      const these = both.filter((row) => row.sends === sends && row.side === side);
      return these.length === 0 ? [] : [line({ ...sum(these), rest: finalRest(sum(these), side) })];
    })
  );
  return [...streams, ...all];
}

type Counted = Omit<Row, "stream"> & { readonly role: string };

/** The rows, each with its label, and those of all streams of a direction if there are several. */
function sums(rows: readonly (Row & { readonly role: string })[]): (Counted & { readonly label: string })[] {
  const own = rows.map((row) => ({ ...row, label: pad(row.stream) }));
  const all = [true, false].flatMap((sends) => {
    const these = rows.filter((row) => row.sends === sends);
    return these.length > 1 ? [sum(these)] : [];
  });
  return [...own, ...all];
}

function sum<T extends Counted>(rows: readonly T[]): Counted & { readonly label: string } {
  const first = rows[0]!;
  const add = (of: (row: T) => number | undefined) => {
    return of(first) === undefined ? undefined : rows.reduce((all, row) => all + (of(row) ?? 0), 0);
  };
  return {
    label: "SUM",
    role: first.role,
    sends: first.sends,
    start: first.start,
    end: Math.max(...rows.map(({ end }) => end)),
    bytes: add(({ bytes }) => bytes) ?? 0,
    retransmits: add(({ retransmits }) => retransmits),
    cwnd: undefined,
    packets: add(({ packets }) => packets),
    lost: add(({ lost }) => lost) ?? 0,
    outOfOrder: add(({ outOfOrder }) => outOfOrder) ?? 0,
    jitter: (add(({ jitter }) => jitter) ?? 0) / rows.length,
  };
}

function intervalRest({ sends, packets, retransmits, cwnd, jitter, lost }: Counted): string {
  if (packets === undefined) {
    const window = cwnd === undefined ? "" : `   ${bytesText(cwnd)}`;
    return retransmits === undefined ? "" : `${String(retransmits).padStart(3)}${window}`;
  }
  return sends ? String(packets) : reception(jitter, lost, packets);
}

function finalRest({ packets, retransmits, jitter, lost }: Counted, side: string): string {
  if (packets !== undefined) return `${reception(jitter, lost, packets)}  ${side}`;
  return `${retransmits === undefined ? "" : String(retransmits).padStart(3)}`.padEnd(16) + side;
}

function reception(jitter: number, lost: number, packets: number): string {
  const percent = packets > 0 ? lost * 100 / packets : 0;
  return `${(jitter * 1e3).toFixed(3)} ms  ${lost}/${packets} (${Number(percent.toPrecision(2))}%)`;
}

function head(p: Parameters, rest: string): string {
  const role = p.bidirectional ? "[Role]" : "";
  return `[ ID]${role} Interval           Transfer     Bitrate         ${rest}`.trimEnd();
}

function line({ label, role, start, end, bytes, rest }: Line): string {
  const time = `${start.toFixed(2).padStart(6)}-${end.toFixed(2).padEnd(6)} sec`;
  const rate = rateText(bytes, end - start).padEnd(14);
  return `[${label}]${role} ${time}  ${bytesText(bytes).padEnd(11)}  ${rate}  ${rest}`.trimEnd();
}

function roleOf({ bidirectional }: Parameters, sends: boolean): string {
  return bidirectional ? sends ? "[TX]" : "[RX]" : "";
}

function pad(stream: number): string {
  return String(stream).padStart(3);
}

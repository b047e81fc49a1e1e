/** The same as objects, for --json. */
import type { Json } from "../cli/output.ts";
import type { Row } from "./measure.ts";
import type { Parameters } from "./parameters.ts";
import type { FinalRow, Outcome } from "./party.ts";
import type { Results, StreamResult } from "./results.ts";
import type { Ends } from "./stream.ts";

type Fields = { readonly [key: string]: Json | undefined };

/** A test that begins. */
export function begunFields(p: Parameters, streams: readonly { sends: boolean; ends: Ends }[]): Fields {
  return {
    protocol: p.protocol,
    streams: streams.map(({ sends, ends: { local, localPort, remote, remotePort } }, index) => ({
      stream: index + 1,
      sends,
      local: String(local),
      localPort,
      remote: String(remote),
      remotePort,
    })),
    omitSeconds: p.omit,
    seconds: p.time,
    bytes: p.bytes,
    blocks: p.blocks,
    length: p.length,
    bitsPerSecond: p.rate,
    reverse: p.reverse,
    bidirectional: p.bidirectional,
  };
}

/** An interval. */
export function intervalFields(rows: readonly Row[], isOmitted: boolean): Fields {
  const [{ start, end } = { start: 0, end: 0 }] = rows;
  return { start, end, omitted: isOmitted, streams: rows.map(streamFields) };
}

function streamFields(
  { stream, sends, start, end, bytes, retransmits, cwnd, packets, lost, outOfOrder, jitter }: Row,
): Fields {
  const datagrams = packets !== undefined && (sends ? { packets } : {
    packets,
    lost,
    outOfOrder,
    jitterMs: jitter * 1e3,
  });
  return {
    stream,
    sends,
    bytes,
    bitsPerSecond: rate(bytes, end - start),
    ...(retransmits !== undefined && { retransmits }),
    ...(cwnd !== undefined && { cwnd }),
    ...datagrams,
  };
}

/** A test that is over. */
export function finalFields({ parameters: { protocol }, rows, own, theirs }: Outcome): Fields {
  const isUdp = protocol === "udp";
  const total = (of: (row: FinalRow) => StreamResult) => {
    const bytes = rows.reduce((sum, row) => sum + of(row).bytes, 0);
    return { bytes, bitsPerSecond: rate(bytes, Math.max(...rows.map((row) => of(row).seconds))) };
  };
  return {
    streams: rows.map(({ stream, sends, sender, receiver, outOfOrder }) => ({
      stream,
      sends,
      sent: {
        ...counted(sender),
        ...(sender.retransmits !== undefined && { retransmits: sender.retransmits }),
        ...(isUdp && { packets: sender.packets }),
      },
      received: {
        ...counted(receiver),
        ...(isUdp && { packets: receiver.packets, lost: receiver.lost, jitterMs: receiver.jitter * 1e3 }),
        ...(outOfOrder !== undefined && { outOfOrder }),
      },
    })),
    sent: total(({ sender }) => sender),
    received: total(({ receiver }) => receiver),
    own: host(own),
    peer: host(theirs),
  };
}

function counted({ bytes, seconds }: StreamResult): Fields {
  return { bytes, seconds, bitsPerSecond: rate(bytes, seconds) };
}

function host({ cpu: [total, user, system], congestion }: Results): Fields {
  return { cpuPercent: { total, user, system }, ...(congestion !== undefined && { congestion }) };
}

function rate(bytes: number, seconds: number): number {
  return seconds > 0 ? bytes * 8 / seconds : 0;
}

/** What one side has counted, as it tells the other in JSON. */
import { isRecord, number } from "./json.ts";
import { streamId } from "./protocol.ts";

/** What was counted of a stream. */
export interface StreamResult {
  /** Bytes of payload: sent, or received. */
  readonly bytes: number;
  /** Segments sent again; undefined: the other side sends, or it is UDP. */
  readonly retransmits: number | undefined;
  /** Seconds (RFC 3550 6.4.1); 0 of who sends. */
  readonly jitter: number;
  /** Datagrams that did not arrive. */
  readonly lost: number;
  /** Datagrams sent, or those that the highest number received stands for. */
  readonly packets: number;
  /** Seconds that it took. */
  readonly seconds: number;
}

/** What was counted in all. */
export interface Results {
  /** How busy the processor was with it, in percent: all, the program's part, the kernel's. */
  readonly cpu: readonly [total: number, user: number, system: number];
  /** The congestion control of the streams that it sends on. */
  readonly congestion: string | undefined;
  /** In the order of the streams. */
  readonly streams: readonly StreamResult[];
}

/** The length of the JSON text: that of 256 streams is half as long. */
export const RESULTS_MAX = 1 << 16;

/** The object that is sent. `retransmits`: whether we have sent over TCP, and know how often again. */
export function resultsObject({ cpu, congestion, streams }: Results): Record<string, unknown> {
  const [total, user, system] = cpu;
  return {
    cpu_util_total: total,
    cpu_util_user: user,
    cpu_util_system: system,
    sender_has_retransmits: streams.some(({ retransmits }) => retransmits !== undefined) ? 1 : -1,
    ...(congestion !== undefined && { congestion_used: congestion }),
    streams: streams.map(({ bytes, retransmits, jitter, lost, packets, seconds }, index) => ({
      id: streamId(index),
      bytes,
      retransmits: retransmits ?? -1,
      jitter,
      errors: lost,
      packets,
      start_time: 0,
      end_time: seconds,
    })),
  };
}

/** What such an object tells of so many streams; undefined: it cannot be. Never throws. */
export function readResults(object: unknown, count: number): Results | undefined {
  if (!isRecord(object)) return undefined;
  const { streams, congestion_used: congestion } = object;
  if (!Array.isArray(streams) || streams.length !== count) return undefined;
  const percent = (name: string) => number(object[name], 0);
  const cpu = [percent("cpu_util_total"), percent("cpu_util_user"), percent("cpu_util_system")] as const;
  if (!cpu.every(isCount)) return undefined;
  const read: StreamResult[] = [];
  for (let index = 0; index < count; index++) {
    const stream: unknown = streams.find((one) => isRecord(one) && one["id"] === streamId(index));
    if (!isRecord(stream)) return undefined;
    const field = (name: string) => number(stream[name], 0);
    const bytes = field("bytes"), jitter = field("jitter"), packets = field("packets");
    // More may be counted twice than is lost.
    const lost = Math.max(0, field("errors"));
    // iperf3 writes -1, or that in 64 bits without a sign, where nothing is known.
    const retransmits = number(stream["retransmits"], -1);
    const seconds = number(stream["end_time"], 0) - number(stream["start_time"], 0);
    if (![bytes, jitter, packets, lost, seconds].every(isCount) || Number.isNaN(retransmits)) {
      return undefined;
    }
    read.push({
      bytes,
      retransmits: isCount(retransmits) ? retransmits : undefined,
      jitter,
      lost,
      packets,
      seconds,
    });
  }
  const name = typeof congestion === "string" && /^[\w+-]{1,32}$/.test(congestion) ? congestion : undefined;
  return { cpu, congestion: name, streams: read };
}

function isCount(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

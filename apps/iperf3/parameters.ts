/** What a client wants of a test, as it tells the server in JSON. */
import { isRecord, number } from "./json.ts";
import { Wrong } from "./protocol.ts";

/** A test as it is wanted. */
export interface Parameters {
  readonly protocol: "tcp" | "udp";
  /** Seconds at the start that do not count. */
  readonly omit: number;
  /** Seconds that it lasts; 0: until so much is sent. */
  readonly time: number;
  /** Bytes that are to be sent; 0: it lasts a time. */
  readonly bytes: number;
  /** The same in blocks. */
  readonly blocks: number;
  /** Streams in each direction. */
  readonly streams: number;
  /** The server sends. */
  readonly reverse: boolean;
  /** Both send. */
  readonly bidirectional: boolean;
  /** Bytes of a block, or of a datagram. */
  readonly length: number;
  /** Bits a second and stream; 0: as many as there is room for. */
  readonly rate: number;
  /** Segments leave without waiting for more data. */
  readonly noDelay: boolean;
  /** Datagrams are counted in 64 bits. */
  readonly counters64: boolean;
}

/** What iperf3 allows. */
export const Limit = {
  Time: 86_400,
  Omit: 600,
  Streams: 128,
  Block: 1 << 20,
  LeastDatagram: 16,
  Datagram: 65_507,
} as const;

/** The length of the JSON text: none of iperf3's is longer. */
export const PARAMETERS_MAX = 8_192;

/** A datagram's length where nobody names one. */
const DATAGRAM = 1_460;
/** And a block's. */
const BLOCK = 1 << 17;

/** The object that a client sends. */
export function parametersObject(p: Parameters, version: string): Record<string, unknown> {
  return {
    [p.protocol]: true,
    omit: p.omit,
    time: p.time,
    num: p.bytes,
    blockcount: p.blocks,
    ...(p.noDelay && { nodelay: true }),
    parallel: p.streams,
    ...(p.reverse && { reverse: true }),
    ...(p.bidirectional && { bidirectional: true }),
    len: p.length,
    ...(p.rate > 0 && { bandwidth: p.rate }),
    pacing_timer: 1_000,
    ...(p.protocol === "udp" && p.counters64 && { udp_counters_64bit: 1 }),
    client_version: version,
  };
}

/** What such an object asks for, or the number of what is wrong with it. Never throws. */
export function readParameters(object: unknown): Parameters | Wrong {
  if (!isRecord(object)) return Wrong.Parameters;
  if (isSet(object["sctp"])) return Wrong.NoSctp;
  const isUdp = isSet(object["udp"]);
  const read = (name: string, otherwise: number) => number(object[name], otherwise);
  const time = read("time", 0), omit = read("omit", 0);
  const bytes = read("num", 0), blocks = read("blockcount", 0);
  const streams = read("parallel", 1), rate = read("bandwidth", 0);
  const length = read("len", 0) || (isUdp ? DATAGRAM : BLOCK);
  // Whatever is no number is NaN, which is in no range.
  if (!(time >= 0 && time <= Limit.Time)) return Wrong.Duration;
  if (!(omit >= 0 && omit <= Limit.Omit)) return Wrong.Omit;
  if (!(streams >= 1 && streams <= Limit.Streams && Number.isInteger(streams))) return Wrong.Streams;
  const [least, most] = isUdp ? [Limit.LeastDatagram, Limit.Datagram] : [1, Limit.Block];
  if (!(length >= least && length <= most && Number.isInteger(length))) {
    return isUdp ? Wrong.UdpBlockSize : Wrong.BlockSize;
  }
  if (![bytes, blocks, rate].every((value) => value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    return Wrong.Parameters;
  }
  const reverse = isSet(object["reverse"]), bidirectional = isSet(object["bidirectional"]);
  if (reverse && bidirectional) return Wrong.ReverseAndBidirectional;
  return {
    protocol: isUdp ? "udp" : "tcp",
    omit,
    time,
    bytes,
    blocks,
    streams,
    reverse,
    bidirectional,
    length,
    rate,
    noDelay: isSet(object["nodelay"]),
    counters64: isSet(object["udp_counters_64bit"]),
  };
}

/** Who sends on each stream, as the side sees it that is the client or is not: the client's own come first. */
export function directions(p: Parameters, isClient: boolean): boolean[] {
  const one = (byClient: boolean) => Array.from({ length: p.streams }, () => byClient === isClient);
  return p.bidirectional ? [...one(true), ...one(false)] : one(!p.reverse);
}

/** iperf3 writes true, or 1. */
function isSet(value: unknown): boolean {
  return value === true || (typeof value === "number" && value !== 0);
}

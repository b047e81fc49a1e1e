/** Single TCP segments in their frames, to be sent by hand and to be looked at. */
import { Address } from "../../stack/wire/address.ts";
import * as ethernetWire from "../../stack/wire/ethernet.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as optionsWire from "../../stack/wire/tcp-options.ts";
import * as wire from "../../stack/wire/tcp.ts";
import { frameOf, own, packet, peer, readPacket } from "./family.ts";
import { data as counting } from "./frames.ts";

/** Fields of a segment; by default the peer's, to port 7. */
export interface SegmentFields {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly window?: number;
  /** The option list as it is, padded to whole words by zeros. */
  readonly options?: readonly number[];
  /** The payload, or its length. */
  readonly data?: Uint8Array | number;
  readonly trafficClass?: number;
}

/** The port of the peer, unless a segment says otherwise, and the one it talks to. */
export const PEER_PORT = 5_000, OWN_PORT = 7;

/** A segment in its frame, with a right checksum, of the family whose turn it is. */
export function segment(fields: SegmentFields = {}): Uint8Array {
  const options = fields.options ?? [];
  const header = wire.HEADER_LENGTH + Math.ceil(options.length / 4) * 4;
  const payload = typeof fields.data === "number" ? counting(fields.data) : fields.data ?? new Uint8Array();
  const bytes = new Uint8Array(header + payload.length);
  wire.emit(
    bytes,
    0,
    fields.sourcePort ?? PEER_PORT,
    fields.destinationPort ?? OWN_PORT,
    fields.sequence ?? 0,
    fields.acknowledgment ?? 0,
    header,
    fields.flags ?? wire.Flag.Ack,
    fields.window ?? 0xffff,
  );
  bytes.set(options, wire.HEADER_LENGTH);
  bytes.set(payload, header);
  const source = Address.parse(fields.source ?? peer());
  const destination = Address.parse(fields.destination ?? own());
  wire.fillChecksum(bytes, 0, bytes.length, source, destination);
  return frameOf(packet(bytes, {
    protocol: Protocol.Tcp,
    trafficClass: fields.trafficClass ?? 0,
    source: `${source}`,
    destination: `${destination}`,
  }));
}

/** A segment taken out of its frame. */
export interface SegmentView {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  readonly data: Uint8Array;
  /** [left, right) each. */
  readonly sack: readonly (readonly [number, number])[];
  readonly mss: number;
  readonly windowScale: number;
  readonly timestamp: readonly [number, number] | undefined;
}

/** Takes a frame apart; undefined: it carries no TCP. */
export function readSegment(frame: Uint8Array, start = 0, end = frame.length): SegmentView | undefined {
  if (end < start + ethernetWire.HEADER_LENGTH + 40) return undefined;
  const view = readPacket(frame, Protocol.Tcp, start);
  if (view === undefined) return undefined;
  const at = view.payloadAt;
  const sackAt = optionsWire.findSack(frame, at);
  const blocks = sackAt < 0 ? 0 : optionsWire.sackBlocks(frame, sackAt);
  const stamps = optionsWire.findTimestamps(frame, at);
  return {
    sourcePort: wire.sourcePort(frame, at),
    destinationPort: wire.destinationPort(frame, at),
    sequence: wire.sequence(frame, at),
    acknowledgment: wire.acknowledgment(frame, at),
    flags: wire.flags(frame, at),
    window: wire.window(frame, at),
    data: frame.slice(at + wire.headerLength(frame, at), view.end),
    sack: Array.from(
      { length: blocks },
      (_, block) =>
        [optionsWire.sackLeft(frame, sackAt, block), optionsWire.sackRight(frame, sackAt, block)] as const,
    ),
    mss: optionsWire.maximumSegmentSize(frame, at),
    windowScale: optionsWire.windowScale(frame, at),
    timestamp: stamps < 0
      ? undefined
      : [optionsWire.timestampValue(frame, stamps), optionsWire.timestampEcho(frame, stamps)],
  };
}

/** One line about a frame, for traces. */
export function describeFrame(frame: Uint8Array, start: number, end: number): string {
  const segment = readSegment(frame, start, end);
  if (segment === undefined) return `${end - start} bytes`;
  const { sequence, acknowledgment, flags, window, data, sack } = segment;
  const first = sequence >>> 0;
  const blocks = sack.map(([left, right]) => ` sack ${left >>> 0}:${right >>> 0}`).join("");
  return `${wire.flagNames(flags)} seq ${first}:${(first + data.length) >>> 0} ack ${acknowledgment >>> 0} ` +
    `win ${window} len ${data.length}${blocks}`;
}

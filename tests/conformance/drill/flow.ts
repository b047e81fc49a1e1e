/**
 * One conversation of a drill: who talks to whom, and how the numbers in the script differ from those on the wire.
 *
 * A script counts from the numbers that it writes itself. What the stack chooses (its first sequence number, the origin
 * of its timestamps) is learnt from the first packet that carries it and is checked from then on.
 *
 * @module
 */
import type { SocketAddress } from "./host.ts";

/** A conversation. Sequence numbers are unsigned. */
export class Flow {
  /** The stack's end. */
  local: SocketAddress;
  /** The script's end. */
  remote: SocketAddress;
  /** Whether payloads are this module's pattern: not once a script has written bytes of its own. */
  isPattern = true;
  /** In script numbers, the sequence number of the first data byte that the script sends. */
  remoteData = 1;
  /** In script numbers, the sequence number of the first data byte that the stack sends. */
  localData = 1;
  #hasBegun = false;
  #isOver = false;
  #nextRemoteData: number | undefined;
  #sequenceOffset = 0;
  #knowsSequence = false;
  #timestampOffset = 0;
  #knowsTimestamp = false;
  readonly #timestamps = new Map<number, number>();

  /** A conversation of which nothing has been seen. */
  constructor(local: SocketAddress, remote: SocketAddress) {
    this.local = local;
    this.remote = remote;
  }

  /** Takes in a SYN of the script's. One that begins another connection counts once the stack has answered it. */
  begin(sequence: number): void {
    const data = (sequence + 1) >>> 0;
    if (!this.#hasBegun) this.remoteData = data;
    else if (this.#isOver || data !== this.remoteData) this.#nextRemoteData = data;
    this.#hasBegun = true;
  }

  /** Notes that the connection is over: the next SYN begins another, even from the same number. */
  finish(): void {
    this.#isOver = true;
  }

  /** Takes in the stack's first sequence number, as the wire and the script have it. */
  learnSequence(wire: number, script: number): void {
    if (this.#nextRemoteData !== undefined) {
      this.remoteData = this.#nextRemoteData;
      this.#nextRemoteData = undefined;
      this.#isOver = this.#knowsSequence = this.#knowsTimestamp = false;
      this.#timestamps.clear();
    }
    this.localData = (script + 1) >>> 0;
    if (this.#knowsSequence) return;
    this.#knowsSequence = true;
    this.#sequenceOffset = (wire - script) >>> 0;
  }

  /** A sequence number of the stack's as the script counts. */
  toScript(wire: number): number {
    return (wire - this.#sequenceOffset) >>> 0;
  }

  /** A sequence number of the stack's as the wire has it. */
  toWire(script: number): number {
    return (script + this.#sequenceOffset) >>> 0;
  }

  /** Takes in a timestamp of the stack's, as the wire and the script have it. */
  learnTimestamp(wire: number, script: number): void {
    this.#timestamps.set(script, wire);
    if (this.#knowsTimestamp) return;
    this.#knowsTimestamp = true;
    this.#timestampOffset = (wire - script) >>> 0;
  }

  /** A timestamp of the stack's as the script counts; as it is while none was learnt. */
  timestampToScript(wire: number): number {
    return this.#knowsTimestamp ? (wire - this.#timestampOffset) >>> 0 : wire;
  }

  /** Whether the stack's timestamps have an origin yet. */
  get knowsTimestamp(): boolean {
    return this.#knowsTimestamp;
  }

  /** What echoes the stack's timestamp that the script calls `script`. No timestamp at all is 0 in both. */
  timestampToWire(script: number): number {
    const seen = this.#timestamps.get(script);
    if (seen !== undefined) return seen;
    return script === 0 || !this.#knowsTimestamp ? script : (script + this.#timestampOffset) >>> 0;
  }
}

/** A stream over UDP: numbered datagrams at a rate. */
import {
  type Address,
  type Binding,
  type Endpoint,
  type Instant,
  LayerError,
  NEVER,
  type Udp,
  type UdpIn,
  type UdpInit,
  type UdpRaw,
} from "../../mod.ts";
import { fillPayload } from "./data.ts";
import * as datagram from "./datagram.ts";
import { Pace } from "./pace.ts";
import type { Parameters } from "./parameters.ts";
import { Reception } from "./reception.ts";
import type { Count, DataStream, Ends } from "./stream.ts";

/** Who refuses a datagram now may take it after this time. */
const RETRY: Instant = 1_000;
/** How long the server's word is waited for before the own one is repeated. */
const REPEAT: Instant = 1_000_000;

/** What a stream is between. */
export interface UdpEnds {
  readonly local: Address;
  /** 0: any that is free. */
  readonly localPort: number;
  readonly peer: Endpoint;
  /** Whether this side opens it. */
  readonly isClient: boolean;
}

/** A datagram's headers, reused. */
interface Init extends UdpInit {
  length: number;
}

/** A stream on a port that only its peer is heard on. */
export class UdpStream implements DataStream {
  readonly sends: boolean;
  readonly ends: Ends;
  readonly reception: Reception = new Reception();
  /** Datagrams too short for their header. */
  malformed = 0;
  readonly #binding: Binding;
  readonly #isClient: boolean;
  readonly #length: number;
  readonly #is64: boolean;
  readonly #pace: Pace;
  readonly #init: Init;
  #bytes = 0;
  #packets = 0;
  #limit = Infinity;
  #isRunning = false;
  #final: Count | undefined;
  /** Whether the peer has said its word, or as the server, ours has been said. */
  #isOpen = false;
  /** When the own word is to be sent; NEVER: it need not. */
  #wordAt: Instant = 0;
  #retryAt: Instant = 0;

  private constructor(udp: Udp, ends: UdpEnds, sends: boolean, parameters: Parameters) {
    const { local, localPort, peer, isClient } = ends;
    const binding = udp.bind({ address: local, port: localPort, peer }, (packet) => this.#take(packet));
    if (binding === undefined) throw new RangeError("no port is free");
    this.sends = sends;
    this.#binding = binding;
    this.ends = { local, localPort: binding.port, remote: peer.address, remotePort: peer.port };
    this.#isClient = isClient;
    this.#length = parameters.length;
    this.#is64 = parameters.counters64;
    this.#pace = new Pace(parameters.rate, parameters.length);
    this.#init = {
      source: local,
      destination: peer.address,
      sourcePort: binding.port,
      destinationPort: peer.port,
      length: 0,
    };
  }

  /** A stream; undefined: its port is taken, or none is free. */
  static open(udp: Udp, ends: UdpEnds, sends: boolean, parameters: Parameters): UdpStream | undefined {
    try {
      return new UdpStream(udp, ends, sends, parameters);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isDone(): boolean {
    return this.#bytes >= this.#limit;
  }

  begin(now: Instant): void {
    this.#isRunning = true;
    if (this.sends) this.#pace.begin(now);
  }

  limit(total: number): void {
    this.#limit = Math.max(total, this.#bytes);
  }

  stop(): void {
    this.#final ??= this.count();
    this.#isRunning = false;
  }

  tick(): void {
    // What is due is sent when the NIC has room for it.
  }

  deadline(): Instant {
    return Math.max(this.#retryAt, Math.min(this.#wordAt, this.#dataAt()));
  }

  /** Fills a buffer if anything is due. Answers whether it has. */
  fill(raw: UdpRaw, now: Instant): boolean {
    if (now < this.#retryAt) return false;
    if (now >= this.#wordAt) return this.#sendWord(raw, now);
    return now >= this.#dataAt() && this.#sendData(raw, now);
  }

  count(): Count {
    if (this.#final !== undefined) return this.#final;
    const { packets, lost, outOfOrder, jitter } = this.reception;
    return {
      bytes: this.#bytes,
      retransmits: undefined,
      cwnd: undefined,
      ...(this.sends
        ? { packets: this.#packets, lost: 0, outOfOrder: 0, jitter: 0 }
        : { packets, lost, outOfOrder, jitter }),
    };
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    this.#isRunning = false;
    this.#wordAt = NEVER;
    this.#binding.close();
  }

  #dataAt(): Instant {
    if (!this.#isRunning || !this.sends || this.isDone) return NEVER;
    return this.#pace.next(this.#bytes);
  }

  #sendWord(raw: UdpRaw, now: Instant): boolean {
    const out = this.#prepare(raw, datagram.WORD_LENGTH, now);
    if (out === undefined) return false;
    if (this.#isClient) datagram.emitHello(out.frame.bytes, out.payloadAt);
    else datagram.emitWelcome(out.frame.bytes, out.payloadAt);
    if (out.send() !== LayerError.None) return this.#refused(now);
    this.#wordAt = this.#isClient ? now + REPEAT : NEVER;
    if (!this.#isClient) this.#isOpen = true;
    return true;
  }

  #sendData(raw: UdpRaw, now: Instant): boolean {
    const length = this.#length;
    const out = this.#prepare(raw, length, now);
    if (out === undefined) return false;
    const { bytes } = out.frame, at = out.payloadAt;
    const header = this.#is64 ? datagram.HEADER_64 : datagram.HEADER_32;
    datagram.emitHeader(bytes, at, now, this.#packets + 1, this.#is64);
    fillPayload(0, bytes, at + header, length - header);
    if (out.send() !== LayerError.None) return this.#refused(now);
    this.#packets++;
    this.#bytes += length;
    return true;
  }

  #prepare(raw: UdpRaw, length: number, now: Instant) {
    this.#init.length = length;
    const out = raw.prepare(this.#init);
    if (typeof out !== "number") return out;
    this.#refused(now);
    return undefined;
  }

  #refused(now: Instant): false {
    this.#retryAt = now + RETRY;
    return false;
  }

  #take(packet: UdpIn): void {
    const { frame: { bytes }, payloadAt: at, length } = packet;
    if (this.#isClient ? datagram.isWelcome(bytes, at, length) : datagram.isHello(bytes, at, length)) {
      // Who repeats its word has not heard the answer.
      this.#wordAt = this.#isClient ? NEVER : 0;
      if (this.#isClient) this.#isOpen = true;
      return;
    }
    // Data may overtake the word on the control connection that it flows.
    if (this.sends || this.#final !== undefined) return;
    if (length < (this.#is64 ? datagram.HEADER_64 : datagram.HEADER_32)) {
      this.malformed++;
      return;
    }
    this.#bytes += length;
    const number = datagram.number(bytes, at, this.#is64);
    this.reception.take(number, datagram.sentAt(bytes, at), packet.info.timestamp);
  }
}

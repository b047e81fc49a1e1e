/**
 * A TCP peer made by hand: any segment goes in, every answer is taken apart. Numbers are relative, as in RFC 9293's
 * figures: 0 is a side's SYN, 1 its first byte.
 *
 * ```ts
 * const peer = established();
 * expect(peer.send({ flags: "A", seq: 1, length: 10 }), [{ flags: "A", ack: 11 }]);
 * ```
 */
import { deepEqual, equal, ok, partialDeepStrictEqual } from "node:assert/strict";
import { Checksum, Segmentation } from "../../stack/frame.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { OFFLOADING, type Slot } from "../../stack/slot.ts";
import { type Instant, milliseconds, NEVER } from "../../stack/store/time.ts";
import { StreamReceive, StreamSend } from "../../stack/tcp/buffers.ts";
import { CloseReason, type Connection, type ConnectionHandler } from "../../stack/tcp/connection.ts";
import { Tcp, type TcpOptions } from "../../stack/tcp/endpoint.ts";
import type { Listener } from "../../stack/tcp/listener.ts";
import { Address } from "../../stack/wire/address.ts";
import { fold, pseudo } from "../../stack/wire/checksum.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as wire from "../../stack/wire/tcp.ts";
import {
  familyHost,
  frameOf,
  ipHeader,
  isV6,
  message,
  own,
  packet,
  type PacketView,
  peer,
  readPacket,
} from "./family.ts";
import type { Host } from "./host.ts";
import {
  type Answer,
  LETTERS,
  optionBytes,
  type Options,
  OWN_PORT,
  PEER_PORT,
  readOptions,
  type Segment,
} from "./segments.ts";
import { patternAt } from "./tcp.ts";

export type { Answer, Options, Segment };
export { OWN_PORT, PEER_PORT };

/** A user that notes what it hears. */
export class Ear implements ConnectionHandler {
  readonly heard: string[] = [];
  readonly send: StreamSend;
  readonly receive: StreamReceive;
  connection: Connection | undefined;
  #written = 0;

  constructor(buffer: number = 1 << 16, sendBuffer: number = 1 << 20, isTuned: boolean = false) {
    this.send = isTuned ? new StreamSend() : new StreamSend(sendBuffer);
    this.receive = isTuned ? new StreamReceive() : new StreamReceive(buffer);
  }

  readonly opened = (c: Connection): void => {
    this.connection = c;
    this.heard.push("opened");
  };
  readonly readable = (): void => this.#note("readable");
  readonly writable = (): void => {};
  readonly peerClosed = (): void => this.#note("peerClosed");
  readonly closed = (_: Connection, reason: CloseReason): void => {
    const [name] = Object.entries(CloseReason).find(([, value]) => value === reason)!;
    this.heard.push(name);
  };

  /** Hands in `length` bytes of the pattern. */
  write(length: number): void {
    const bytes = Uint8Array.from({ length }, (_, index) => patternAt(this.#written + index));
    equal(this.send.write(bytes), length, "the send buffer has room");
    this.#written += length;
    this.connection!.flush();
  }

  /** Reads up to `length` bytes. */
  read(length: number = Infinity): Uint8Array {
    const bytes = new Uint8Array(Math.min(length, this.receive.length));
    this.receive.read(bytes);
    this.connection?.flush();
    return bytes;
  }

  #note(what: string): void {
    if (this.heard.at(-1) !== what) this.heard.push(what);
  }
}

/** How a {@linkcode TcpPeer} is set up. */
export interface PeerOptions {
  readonly tcp?: Partial<TcpOptions>;
  /** The peer's first number. Default 0x1000_0000. */
  readonly iss?: number;
  /** When it all begins. Default one second. */
  readonly start?: Instant;
  /** Options of the peer's SYN. Default an MSS of 1,000 alone. */
  readonly syn?: Options;
  /** The window in the peer's SYN and its first ACK. Default 65,535. */
  readonly window?: number;
  /** The receive buffer of users, a power of two from 4 KiB, and the window that is offered. Default 64 KiB. */
  readonly buffer?: number;
  /** Whether their buffers follow the path instead. Default false. */
  readonly tuned?: boolean;
  readonly backlog?: number;
  /** How many connections the listener's user takes. Default all. */
  readonly most?: () => number;
  /** Whether the host knows the peer's link address. Default true. */
  readonly knowsPeer?: boolean;
  /** How long the peer takes to answer the SYN-ACK. Default 0. */
  readonly handshake?: Instant;
  /** Buffers of the NIC. Default 128. */
  readonly slots?: number;
  /** Whether the NIC completes checksums, cuts segments and puts them together. Default false. */
  readonly offload?: boolean;
}

/** A host with TCP on virtual time, and the peer's side of the conversations with it. */
export class TcpPeer {
  readonly tcp: Tcp;
  readonly host: Host;
  readonly options: PeerOptions;
  /** The users of the connections that were accepted, and of {@linkcode TcpPeer.connect}. */
  readonly users: Ear[] = [];
  listener: Listener | undefined;
  now: Instant;
  /** The peer's first number. */
  iss: number;
  /** The host's first number, once its SYN was seen. */
  irs = 0;
  /** What comes next from the peer, and from the host; relative. */
  next = 0;
  expected = 0;
  /** The host's port; a connect chooses one. */
  ownPort = OWN_PORT;

  constructor(options: PeerOptions = {}) {
    this.options = options;
    const window = options.buffer === undefined ? {} : { receiveWindow: options.buffer };
    this.tcp = new Tcp({ secret: [1, 2, 3, 4], ...window, ...options.tcp });
    this.host = familyHost({
      nic: {
        slots: options.slots ?? 128,
        ...(options.offload === true ? { capabilities: OFFLOADING, frameLength: 0xffff + 14 } : {}),
      },
      knowsPeer: options.knowsPeer ?? true,
      receive: ({ icmp }) => protocols({ icmp: icmp.recv(this.tcp.errors()), tcp: this.tcp.recv() }),
      send: () => this.tcp.send(),
    });
    this.iss = options.iss ?? 0x1000_0000;
    this.now = options.start ?? 1_000_000;
    this.host.at(this.now);
    this.tcp.tick(this.now);
  }

  /** The newest user. */
  get user(): Ear {
    return this.users.at(-1)!;
  }

  /** The newest connection that was opened. */
  get connection(): Connection {
    return this.user.connection!;
  }

  /** Listens on the own port. */
  listen(): this {
    const { backlog, buffer, tuned, most = () => Infinity } = this.options;
    const hasRoom = () => this.users.length < most();
    this.listener = this.tcp.listen(
      { port: OWN_PORT, hasRoom, ...(backlog === undefined ? {} : { backlog }) },
      (c) => {
        const user = new Ear(buffer, undefined, tuned);
        this.users.push(user);
        c.sendBuffer = user.send;
        c.receiveBuffer = user.receive;
        return user;
      },
    );
    return this;
  }

  /** Connects to the peer; its SYN is among what leaves next. */
  connect(): Connection {
    const user = new Ear(this.options.buffer, undefined, this.options.tuned);
    this.users.push(user);
    const c = this.tcp.connect({
      address: Address.parse(peer()),
      port: PEER_PORT,
      localAddress: Address.parse(own()),
      sendBuffer: user.send,
      receiveBuffer: user.receive,
      handler: user,
    });
    ok(c !== undefined);
    user.connection = c;
    this.ownPort = c.localPort;
    return c;
  }

  /** Lets segments arrive one after the other, and answers with what the host sends before time goes on. */
  send(...segments: readonly Segment[]): Answer[] {
    const frames: Uint8Array[] = [];
    for (const segment of segments) frames.push(...this.#deliver(segment));
    return [...this.#read(frames), ...this.flush()];
  }

  #deliver(segment: Segment): Uint8Array[] {
    const { segmentSize } = segment;
    if (segmentSize === undefined) return this.host.deliver(this.#frame(segment));
    ok(this.host.nic.inject(this.#frame(segment)));
    const receive = (slot: Slot) => {
      slot.frame.checksum = Checksum.Verified;
      slot.frame.segmentation = isV6() ? Segmentation.TcpV6 : Segmentation.TcpV4;
      slot.frame.segmentSize = segmentSize;
      this.host.receiver.receive(slot);
    };
    this.host.nic.rx(1, { receive });
    return this.host.drain();
  }

  /** What the host has to send now. */
  flush(): Answer[] {
    return this.#read(this.host.transmit(256));
  }

  /** Lets time pass, and answers with what left meanwhile. */
  pass(duration: Instant): Answer[] {
    const end = this.now + duration;
    const answers = this.flush();
    for (;;) {
      const next = Math.max(this.host.deadline, this.now + 1);
      if (next > end || next === NEVER) break;
      this.#at(next);
      answers.push(...this.flush());
    }
    this.#at(end);
    return [...answers, ...this.flush()];
  }

  /** An ICMP error about a segment that the host would have sent with this number, relative. */
  error(type: number, code: number, seq: number, fields: QuoteFields = {}): Answer[] {
    const quoted = this.quote(seq, fields);
    const frame = message(quoted, { type, code, identifier: 0, sequence: fields.mtu ?? 0 });
    return [...this.#read(this.host.deliver(frame)), ...this.flush()];
  }

  /** The IP header and the first 8 bytes of a segment of the host's. */
  quote(seq: number, fields: QuoteFields = {}): Uint8Array {
    const segment = new Uint8Array(wire.HEADER_LENGTH);
    const sequence = (this.irs + seq) | 0;
    const [from, to] = [fields.ownPort ?? this.ownPort, fields.port ?? PEER_PORT];
    wire.emit(segment, 0, from, to, sequence, 0, wire.HEADER_LENGTH, wire.Flag.Ack, 0);
    const bytes = fields.bytes ?? 8;
    return packet(segment.slice(0, bytes), {
      source: own(),
      destination: peer(),
      protocol: Protocol.Tcp,
      totalLength: fields.totalLength ?? 1_000 + ipHeader() + wire.HEADER_LENGTH,
    });
  }

  #at(now: Instant): void {
    this.now = now;
    this.host.at(now);
  }

  #frame(segment: Segment): Uint8Array {
    const options = optionBytes(segment, this.irs);
    const length = segment.length ?? 0;
    const header = wire.HEADER_LENGTH + options.length;
    const bytes = new Uint8Array(header + length);
    let flags = segment.flags.includes("P") ? wire.Flag.Psh : 0;
    for (const [letter, bit] of LETTERS) if (segment.flags.includes(letter)) flags |= bit;
    const seq = segment.seq ?? this.next;
    const isSyn = (flags & wire.Flag.Syn) !== 0;
    const numbers = length + (isSyn ? 1 : 0) + (segment.flags.includes("F") ? 1 : 0);
    this.next = Math.max(this.next, seq + numbers);
    const hasAck = (flags & wire.Flag.Ack) !== 0;
    const ack = hasAck ? (this.irs + (segment.ack ?? this.expected)) | 0 : 0;
    const [source, destination] = [segment.port ?? PEER_PORT, segment.ownPort ?? this.ownPort];
    const window = segment.window ?? 65_535;
    wire.emit(bytes, 0, source, destination, (this.iss + seq) | 0, ack, header, flags, window);
    bytes.set(options, wire.HEADER_LENGTH);
    const offset = seq - (isSyn ? 0 : 1);
    for (let index = 0; index < length; index++) {
      bytes[header + index] = segment.byte ?? patternAt(offset + index);
    }
    const to = segment.destination ?? own();
    wire.fillChecksum(bytes, 0, bytes.length, Address.parse(peer()), Address.parse(to));
    wire.setChecksum(bytes, 0, wire.checksum(bytes, 0) + (segment.checksumError ?? 0));
    const trafficClass = segment.trafficClass ?? 0;
    return frameOf(packet(bytes, { protocol: Protocol.Tcp, destination: to, trafficClass }));
  }

  #read(frames: readonly Uint8Array[]): Answer[] {
    return frames.flatMap((frame) => {
      const view = readPacket(frame, Protocol.Tcp);
      return view === undefined ? [] : [this.#answer(frame.slice(0, view.end), view)];
    });
  }

  #answer(frame: Uint8Array, { payloadAt: at, end, source, destination, trafficClass }: PacketView): Answer {
    const { offload } = this.options;
    if (offload !== true) ok(wire.verifyChecksum(frame, at, end, source, destination), "a wrong checksum");
    else {equal(
        wire.checksum(frame, at),
        fold(pseudo(source, destination, Protocol.Tcp, end - at)),
        "not partial",
      );}
    const bits = wire.flags(frame, at);
    const payload = at + wire.headerLength(frame, at);
    const isSyn = (bits & wire.Flag.Syn) !== 0;
    if (isSyn) this.irs = wire.sequence(frame, at);
    const seq = (wire.sequence(frame, at) - this.irs) | 0;
    const numbers = end - payload + (isSyn ? 1 : 0) + ((bits & wire.Flag.Fin) !== 0 ? 1 : 0);
    this.expected = isSyn ? 1 : Math.max(this.expected, seq + numbers);
    return {
      flags: LETTERS.map(([letter, bit]) => (bits & bit) !== 0 ? letter : "").join(""),
      push: (bits & wire.Flag.Psh) !== 0,
      seq,
      ack: (bits & wire.Flag.Ack) !== 0 ? (wire.acknowledgment(frame, at) - this.iss) | 0 : 0,
      length: end - payload,
      window: wire.window(frame, at),
      trafficClass,
      port: wire.destinationPort(frame, at),
      time: this.now,
      data: frame.slice(payload, end),
      ...readOptions(frame, at, this.iss),
    };
  }
}

/** What of a quotation may be wrong. */
export interface QuoteFields {
  readonly ownPort?: number;
  readonly port?: number;
  /** How many bytes of the segment are quoted. */
  readonly bytes?: number;
  /** The length of the packet that was too large. */
  readonly totalLength?: number;
  readonly mtu?: number;
}

/** A host that listens, and a peer. */
export function listening(options: PeerOptions = {}): TcpPeer {
  return new TcpPeer(options).listen();
}

/** The peer's SYN with its usual options. */
export function syn(peer: TcpPeer, fields: Partial<Segment> = {}): Segment {
  return {
    flags: "S",
    seq: 0,
    window: peer.options.window ?? 65_535,
    ...(peer.options.syn ?? { mss: 1_000 }),
    ...fields,
  };
}

/** Options of segments behind the handshake: timestamps, if they were asked for. */
export function stamp(peer: TcpPeer, echo: number = 0): Options {
  const { timestamps } = peer.options.syn ?? {};
  return timestamps === undefined ? {} : { timestamps: [timestamps[0], echo] };
}

/** A connection that the peer has opened. */
export function established(options: PeerOptions = {}): TcpPeer {
  const peer = listening(options);
  const [answer] = peer.send(syn(peer));
  equal(answer?.flags.slice(0, 2), "SA");
  const window = options.window ?? 65_535;
  if (options.handshake !== undefined) peer.pass(options.handshake);
  peer.send({ flags: "A", seq: 1, ack: 1, window, ...stamp(peer, answer?.timestamps?.[0]) });
  deepEqual(peer.user.heard, ["opened"]);
  return peer;
}

/** The same, with no acknowledgment sent at once any more just because the connection is young. */
export function settled(options: PeerOptions = {}): TcpPeer {
  const peer = established(options);
  peer.connection.quickAcks = 0;
  return peer;
}

/** Asserts that the answers are these; what a pattern leaves out may be anything. */
export function expect(
  answers: readonly Answer[],
  patterns: readonly Partial<Answer>[],
  why: string = "",
): void {
  const shown = answers.map(({ flags, seq, ack, length, window, time }) => {
    return `${flags} ${seq}(${length}) ack ${ack} win ${window} at ${time / milliseconds(1)} ms`;
  });
  equal(answers.length, patterns.length, `${why} what left: ${JSON.stringify(shown)}`);
  for (const [index, pattern] of patterns.entries()) {
    partialDeepStrictEqual(answers[index], pattern, `${why} answer ${index} of ${JSON.stringify(shown)}`);
  }
}

/** The times of answers, in milliseconds since `start`. */
export function times(answers: readonly Answer[], start: Instant): number[] {
  return answers.map(({ time }) => Math.round((time - start) / milliseconds(1)));
}

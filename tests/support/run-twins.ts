/**
 * Two hosts that differ in one thing: before the tree of one of them stands `tcp.joining`. Whatever is sent to both, all
 * that can be seen of them must be the same.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { External } from "../../nic/external.ts";
import { Eth } from "../../stack/eth/endpoint.ts";
import type { Receiver, TimedSender } from "../../stack/handler.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import type { LinkEndpoint } from "../../stack/link.ts";
import { PointToPoint } from "../../stack/ptp/endpoint.ts";
import { Medium, type Slot } from "../../stack/slot.ts";
import { seconds } from "../../stack/store/time.ts";
import { StreamReceive, StreamSend } from "../../stack/tcp/buffers.ts";
import type { ConnectionHandler } from "../../stack/tcp/connection.ts";
import { Tcp } from "../../stack/tcp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as option from "../../stack/wire/tcp-options.ts";
import * as wire from "../../stack/wire/tcp.ts";
import { data, ethernet, ipv4, OWN, OWN_MAC, PEER, PEER_MAC } from "./frames.ts";
import { ipv6, OWN6, PEER6 } from "./frames-v6.ts";

/** What the hosts stand on. */
export type Way = "Ethernet, IPv4" | "Ethernet, IPv6" | "VLAN, IPv4" | "point-to-point, IPv4";

/** All of them. */
export const WAYS: readonly Way[] = [
  "Ethernet, IPv4",
  "Ethernet, IPv6",
  "VLAN, IPv4",
  "point-to-point, IPv4",
];

/** How the user of a connection behaves. */
export interface Behaviour {
  /** Sends back what it reads. */
  readonly echoes?: boolean;
  /** Does not read, so that the window closes. */
  readonly isIdle?: boolean;
}

const PORT = 7, VLAN = 5, BUFFER = 1 << 13;

/** A segment from the peer; by default what comes next, with an acknowledgment of all that was sent. */
export interface Data {
  /** From the number that is expected. */
  readonly offset?: number;
  readonly length: number;
  readonly flags?: number;
  /** Added to the acknowledgment number. */
  readonly acknowledges?: number;
  readonly window?: number;
  /** The timestamp's value; null: none. */
  readonly timestamp?: number | null;
  /** A SACK block of numbers that we have sent. */
  readonly sack?: boolean;
  readonly trafficClass?: number;
  readonly hopLimit?: number;
  readonly identification?: number;
  readonly from?: string;
  readonly port?: number;
  readonly urgent?: number;
  /** Bytes behind the packet. */
  readonly padding?: number;
  /** Damages the transport's checksum, or IP's. */
  readonly damage?: "tcp" | "ip" | undefined;
}

class User implements ConnectionHandler {
  readonly send = new StreamSend(BUFFER);
  readonly receive = new StreamReceive(BUFFER);
  readonly log: string[] = [];
  /** How many bytes have come, and what they were. */
  received = 0;
  sum = 0;
  calls = 0;
  readonly #behaviour: Behaviour;
  readonly #chunk = new Uint8Array(BUFFER);

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  readonly readable: NonNullable<ConnectionHandler["readable"]> = (c) => {
    this.calls++;
    if (this.#behaviour.isIdle === true) return;
    const count = this.receive.read(this.#chunk);
    for (let index = 0; index < count; index++) {
      this.sum = (Math.imul(this.sum, 31) + this.#chunk[index]!) | 0;
    }
    this.received += count;
    if (this.#behaviour.echoes === true) this.send.write(this.#chunk, 0, count);
    c.flush();
  };

  readonly peerClosed = (): void => void this.log.push(`closed by the peer after ${this.received}`);

  readonly closed: NonNullable<ConnectionHandler["closed"]> = (_c, reason) =>
    void this.log.push(`closed after ${this.received}: ${reason}`);
}

class Twin {
  readonly nic: External;
  readonly tcp = new Tcp({ secret: [1, 2, 3, 4], receiveWindow: BUFFER });
  readonly ip: Ip;
  readonly link: LinkEndpoint;
  readonly eth = new Eth({ mac: OWN_MAC });
  readonly users: User[] = [];
  readonly #receiver: Receiver<Slot>;
  readonly #sender: TimedSender<Slot>;

  constructor(way: Way, behaviour: Behaviour, joins: boolean) {
    const isBare = way === "point-to-point, IPv4";
    this.nic = new External(isBare ? { medium: Medium.Ip } : {});
    this.ip = new Ip({ addresses: [`${OWN}/24`, `${OWN6}/64`] });
    for (const peer of [PEER, PEER6]) this.ip.neighbours.setStatic(Address.parse(peer), Mac.parse(PEER_MAC));
    this.link = isBare ? new PointToPoint() : way === "VLAN, IPv4" ? this.eth.vlan(VLAN) : this.eth;
    const tree = this.link.recv(this.ip.recv(protocols({ tcp: this.tcp.recv() })));
    this.#receiver = joins ? this.tcp.joining(tree) : tree;
    this.#sender = this.link.send(this.ip.send(this.tcp.send()));
    this.tcp.listen({ port: PORT }, (connection) => {
      const user = new User(behaviour);
      connection.sendBuffer = user.send;
      connection.receiveBuffer = user.receive;
      this.users.push(user);
      return user;
    });
  }

  /** Takes a burst and answers with what leaves. */
  burst(time: number, frames: readonly Uint8Array[]): Uint8Array[] {
    this.nic.setTime(time);
    for (const frame of frames) equal(this.nic.inject(frame), true);
    this.nic.rx(frames.length, this.#receiver);
    const sent: Uint8Array[] = [];
    for (let more = true; more;) {
      more = this.nic.tx(64, this.#sender) > 0;
      for (let frame = this.nic.take(); frame !== undefined; frame = this.nic.take()) sent.push(frame);
    }
    return sent;
  }

  /** All that can be seen but for who was called how often. */
  look(): unknown {
    const { joined: _, ...tcp } = this.tcp.counters;
    return {
      tcp,
      ip: { ...this.ip.counters },
      link: { ...this.link.counters },
      eth: { ...this.eth.counters },
      users: this.users.map(({ log, received, sum, receive }) => ({
        log,
        received,
        sum,
        held: receive.length,
      })),
      connections: [...this.tcp.list()],
      deadline: this.#sender.deadline(),
    };
  }
}

/** Two hosts, and the peer of both. */
export class Twins {
  /** How many segments were joined. */
  get joined(): number {
    return this.#joining.tcp.counters.joined;
  }
  /** How often the users were called for data: without joining, and with it. */
  get calls(): readonly [number, number] {
    const of = ({ users }: Twin) => users.reduce((sum, { calls }) => sum + calls, 0);
    return [of(this.#plain), of(this.#joining)];
  }
  /** Bytes that have come to the users. */
  get received(): number {
    return this.#joining.users.reduce((sum, { received, receive }) => sum + received + receive.length, 0);
  }
  readonly #way: Way;
  readonly #plain: Twin;
  readonly #joining: Twin;
  #time = seconds(100);
  readonly #peers = new Map<number, { next: number; acknowledgment: number }>();
  readonly #hasTimestamps: boolean;

  constructor(way: Way, behaviour: Behaviour = {}, hasTimestamps: boolean = true) {
    this.#way = way;
    this.#hasTimestamps = hasTimestamps;
    this.#plain = new Twin(way, behaviour, false);
    this.#joining = new Twin(way, behaviour, true);
  }

  /** Opens a connection from a port of the peer's, whose first number it is to be. */
  open(port: number = 5_000, first: number = -300): void {
    this.#peers.set(port, { next: first, acknowledgment: 0 });
    this.burst([{ length: 0, flags: wire.Flag.Syn, port }]);
    this.#peers.get(port)!.next = (first + 1) | 0;
    this.burst([{ length: 0, port }]);
  }

  /** Sends a burst to both, 100 us after the last, and compares them; answers with what both sent. */
  burst(segments: readonly Data[], wait: number = 100): Uint8Array[] {
    this.#time += wait;
    return this.deliver(segments.map((one) => this.frame(one)));
  }

  /** Sends frames to both, at the present time. */
  deliver(frames: readonly Uint8Array[]): Uint8Array[] {
    const plain = this.#plain.burst(this.#time, frames);
    const joining = this.#joining.burst(this.#time, frames);
    deepEqual(joining, plain);
    deepEqual(this.#joining.look(), this.#plain.look());
    for (const frame of plain) this.#note(frame);
    return plain;
  }

  /** A segment in its frame; the peer goes on behind its data. */
  frame(one: Data): Uint8Array {
    const port = one.port ?? 5_000;
    const peer = this.#peers.get(port)!;
    const flags = one.flags ?? wire.Flag.Ack;
    const sequence = (peer.next + (one.offset ?? 0)) | 0;
    const options = this.#options(one, (flags & wire.Flag.Syn) !== 0, peer.acknowledgment);
    const header = wire.HEADER_LENGTH + options.length;
    const bytes = new Uint8Array(header + one.length);
    const acknowledgment = (flags & wire.Flag.Ack) === 0
      ? 0
      : (peer.acknowledgment + (one.acknowledges ?? 0)) | 0;
    wire.emit(bytes, 0, port, PORT, sequence, acknowledgment, header, flags, one.window ?? 0x7fff);
    bytes.set(options, wire.HEADER_LENGTH);
    bytes.set(data(one.length, sequence & 0xff), header);
    wire.setUrgentPointer(bytes, 0, one.urgent ?? 0);
    const isV6 = this.#way === "Ethernet, IPv6";
    const [from, to] = (isV6 ? [PEER6, OWN6] : [PEER, OWN]).map((text) => Address.parse(text));
    wire.fillChecksum(bytes, 0, bytes.length, from!, to!);
    if (one.damage === "tcp") wire.setChecksum(bytes, 0, wire.checksum(bytes, 0) ^ 0x1234);
    if (one.length > 0 && (one.offset ?? 0) === 0 && one.damage === undefined) {
      peer.next = (sequence + one.length) | 0;
    }
    return this.#link(isV6 ? this.#v6(bytes, one) : this.#v4(bytes, one), one);
  }

  #v4(bytes: Uint8Array, one: Data): Uint8Array {
    return ipv4(bytes, {
      protocol: Protocol.Tcp,
      source: PEER,
      destination: OWN,
      trafficClass: one.trafficClass ?? 0,
      hopLimit: one.hopLimit ?? 64,
      identification: one.identification ?? 0,
      checksumError: one.damage === "ip" ? 0x100 : 0,
    });
  }

  #v6(bytes: Uint8Array, one: Data): Uint8Array {
    const { trafficClass = 0, hopLimit = 64 } = one;
    return ipv6(bytes, {
      protocol: Protocol.Tcp,
      source: PEER6,
      destination: OWN6,
      trafficClass,
      hopLimit,
    });
  }

  #link(packet: Uint8Array, { from = PEER_MAC, padding = 0 }: Data): Uint8Array {
    if (this.#way === "point-to-point, IPv4") return packet;
    const padTo = packet.length + padding;
    if (this.#way !== "VLAN, IPv4") {
      const etherType = this.#way === "Ethernet, IPv6" ? EtherType.Ipv6 : EtherType.Ipv4;
      return ethernet(packet, { etherType, source: from, padTo });
    }
    const tagged = new Uint8Array(4 + packet.length);
    tagged.set([0, VLAN, EtherType.Ipv4 >> 8, EtherType.Ipv4 & 0xff]);
    tagged.set(packet, 4);
    return ethernet(tagged, { etherType: EtherType.Vlan, source: from, padTo: padTo + 4 });
  }

  #options({ timestamp, sack = false }: Data, isSyn: boolean, acknowledgment: number): Uint8Array {
    const bytes = new Uint8Array(40);
    let at = 0;
    if (isSyn) {
      at = option.putMss(bytes, at, 1_000);
      at = option.putSackPermitted(bytes, at);
    }
    const value = timestamp === undefined ? 1_000 : timestamp;
    if (this.#hasTimestamps && value !== null) at = option.putTimestamps(bytes, at, value, 0);
    if (sack) {
      at = option.putSack(bytes, at, 1);
      at = option.putSackBlock(bytes, at, acknowledgment, (acknowledgment + 10) | 0);
    }
    return bytes.slice(0, at);
  }

  /** The peer acknowledges what it has seen. */
  #note(frame: Uint8Array): void {
    const ip = this.#way === "point-to-point, IPv4" ? 0 : this.#way === "VLAN, IPv4" ? 18 : 14;
    const isV6 = this.#way === "Ethernet, IPv6";
    const at = ip + (isV6 ? 40 : 20);
    if (frame[ip + (isV6 ? 6 : 9)] !== Protocol.Tcp || frame.length < at + 20) return;
    const flags = wire.flags(frame, at);
    const peer = this.#peers.get(wire.destinationPort(frame, at));
    if (peer === undefined || (flags & wire.Flag.Rst) !== 0) return;
    const numbers = frame.length - at - wire.headerLength(frame, at) +
      ((flags & (wire.Flag.Syn | wire.Flag.Fin)) !== 0 ? 1 : 0);
    peer.acknowledgment = (wire.sequence(frame, at) + numbers) | 0;
  }
}

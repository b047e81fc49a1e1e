/**
 * UDP (RFC 768, with the rules of RFC 1122 4.1): handlers bound to ports, or one for all.
 *
 * @module
 */
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import type { Origin } from "../host/neighbours.ts";
import type { Icmp } from "../icmp/endpoint.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import type { SipKey } from "../store/siphash.ts";
import type { Instant } from "../store/time.ts";
import { Protocol } from "../wire/protocol.ts";
import { WireError } from "../wire/error.ts";
import * as udp from "../wire/udp.ts";
import { type Binding, Bindings, type BindOptions } from "./bindings.ts";
import { ErrorReceiver, UndeliveredDatagrams } from "./errors.ts";
import { type UdpIn, UdpPacket, type UdpRaw } from "./packet.ts";

/** What passed a {@linkcode Udp} endpoint, and what did not, by reason. */
export class UdpCounters {
  /** Datagrams whose checksum is right. */
  received = 0;
  /** Datagrams queued on the NIC. */
  sent = 0;
  /** Dropped: a packet of another protocol. */
  otherProtocol = 0;
  /** Dropped: shorter than its header, or than the length that its header tells. */
  truncated = 0;
  /** Dropped: the header tells a length shorter than itself. */
  malformed = 0;
  /** Dropped: the checksum is wrong. */
  wrongChecksum = 0;
  /** Dropped: nobody is bound to the port. */
  closedPort = 0;
  /** Not sent: a lower layer refused. */
  notSent = 0;
  /** ICMP errors handed to a binding. */
  errors = 0;
  /** ICMP errors that are about no datagram of a connected binding. */
  strayErrors = 0;
}

/** How a {@linkcode Udp} endpoint is set up. */
export interface UdpOptions {
  /** Answers datagrams to closed ports with port unreachable (RFC 1122 4.1.3.1). Absent: they are dropped in silence. */
  readonly unreachable?: Icmp;
  /** Hops that datagrams may make. Default: 64, or what a router advises for IPv6 (RFC 4861 6.3.4). */
  readonly hopLimit?: number;
  /** A random key, without which nobody can tell which port is chosen next (RFC 6056). Default: zeros. */
  readonly secret?: SipKey;
}

/** The UDP side of a host. */
export class Udp {
  /** Hops that datagrams may make; undefined: IP's default, 64, or what a router advises for IPv6. */
  hopLimit: number | undefined;
  /** What passed and what was dropped. */
  readonly counters: UdpCounters = new UdpCounters();
  /**
   * Is told of datagrams whose neighbour does not answer.
   *
   * @internal
   */
  readonly origin: Origin;
  readonly #bindings: Bindings;
  readonly #icmp: Icmp | undefined;

  /** An endpoint with all ports closed. */
  constructor(options: UdpOptions = {}) {
    this.hopLimit = options.hopLimit;
    this.#icmp = options.unreachable;
    this.#bindings = new Bindings(options.secret ?? [0, 0, 0, 0]);
    this.origin = new UndeliveredDatagrams(this, this.#bindings);
  }

  /**
   * Binds a handler to an own port. Undefined: the port is taken, or none is free. Throws a RangeError for a port
   * that there is not.
   */
  bind(options: BindOptions, handler: Receive<UdpIn>): Binding | undefined {
    return this.#bindings.add(options, handler);
  }

  /** A receiver that hands datagrams to who is bound to their port; those to closed ports to `upper`, if given. */
  recv(upper?: Receive<UdpIn>): Receiver<IpIn> {
    return new UdpReceiver(
      this,
      this.#bindings,
      upper === undefined ? undefined : receiver(upper),
      this.#icmp,
    );
  }

  /** A receiver for `icmp.recv`: tells bindings of ICMP errors about their datagrams, and hands the rest to `upper`. */
  errors(upper?: Receive<IcmpIn>): Receiver<IcmpIn> {
    return new ErrorReceiver(this, this.#bindings, upper === undefined ? undefined : receiver(upper));
  }

  /** Lets `upper` fill datagrams. */
  send(upper: Send<UdpRaw>): TimedSender<IpRaw> {
    return new UdpSender(this, sender(upper));
  }
}

class UdpReceiver implements Receiver<IpIn> {
  readonly #udp: Udp;
  readonly #bindings: Bindings;
  readonly #upper: Receiver<UdpIn> | undefined;
  readonly #icmp: Icmp | undefined;
  readonly #packet: UdpPacket;

  constructor(endpoint: Udp, bindings: Bindings, upper: Receiver<UdpIn> | undefined, icmp: Icmp | undefined) {
    this.#udp = endpoint;
    this.#bindings = bindings;
    this.#upper = upper;
    this.#icmp = icmp;
    this.#packet = new UdpPacket(endpoint);
  }

  receive(ip: IpIn): void {
    if (!this.#isFine(ip)) return;
    this.#udp.counters.received++;
    const packet = this.#packet.enterIn(ip);
    if (ip.isGroup) this.#toAll(packet, ip);
    else this.#toOne(packet, ip);
    packet.leave();
  }

  #isFine(ip: IpIn): boolean {
    const { counters } = this.#udp;
    const { frame, payloadAt: at } = ip;
    if (ip.protocol !== Protocol.Udp) {
      counters.otherProtocol++;
      return false;
    }
    const error = udp.check(frame.bytes, at, frame.end);
    if (error !== WireError.None) {
      if (error === WireError.Truncated) counters.truncated++;
      else counters.malformed++;
      return false;
    }
    if (
      ip.info.capabilities.udp.verify && !frame.hasTrusted(at) &&
      !udp.verifyChecksum(frame.bytes, at, ip.source, ip.destination)
    ) {
      counters.wrongChecksum++;
      return false;
    }
    return true;
  }

  #toOne(packet: UdpPacket, ip: IpIn): void {
    const binding = this.#bindings.find(packet.destinationPort, ip.destination, ip.source, packet.sourcePort);
    if (binding !== undefined) this.#hand(packet, ip, binding.receiver);
    else if (this.#upper !== undefined) this.#hand(packet, ip, this.#upper);
    else {
      this.#udp.counters.closedPort++;
      packet.leave();
      this.#icmp?.closedPort(ip);
    }
  }

  /** What was sent to many is everybody's who is bound to it, as long as nobody used the buffer for an answer. */
  #toAll(packet: UdpPacket, ip: IpIn): void {
    const bindings = this.#bindings.at(packet.destinationPort);
    const { sourcePort } = packet;
    let found = false;
    for (let index = 0; index < bindings.length && packet.isIn; index++) {
      const binding = bindings[index]!;
      if (binding.match(ip.destination, ip.source, sourcePort) < 0) continue;
      found = true;
      this.#hand(packet, ip, binding.receiver);
    }
    if (found) return;
    if (this.#upper !== undefined) this.#hand(packet, ip, this.#upper);
    else this.#udp.counters.closedPort++;
  }

  /** Cuts off what lies behind the datagram in its packet, so that the payload ends at `frame.end`. */
  #hand(packet: UdpPacket, ip: IpIn, to: Receiver<UdpIn>): void {
    ip.frame.truncate(ip.payloadAt + udp.length(ip.frame.bytes, ip.payloadAt));
    to.receive(packet);
  }
}

class UdpSender implements TimedSender<IpRaw> {
  readonly #upper: TimedSender<UdpRaw>;
  readonly #packet: UdpPacket;

  constructor(endpoint: Udp, upper: TimedSender<UdpRaw>) {
    this.#upper = upper;
    this.#packet = new UdpPacket(endpoint);
  }

  send(ip: IpRaw): void {
    this.#upper.send(this.#packet.enterRaw(ip));
    this.#packet.leave();
  }

  deadline(): Instant {
    return this.#upper.deadline();
  }
}

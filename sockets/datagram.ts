/**
 * Datagrams in the shape of `Deno.listenDatagram`.
 *
 * @module
 */
import { LayerError } from "../stack/error.ts";
import type { Binding } from "../stack/udp/bindings.ts";
import type { UdpIn } from "../stack/udp/packet.ts";
import { Address } from "../stack/wire/address.ts";
import { checkPort, tryHostname, type UdpAddr } from "./address.ts";
import { badResource, coded, interrupted } from "./errors.ts";
import { addressInUse, type Host } from "./host.ts";
import type { Hold } from "./lifetime.ts";
import { Groups, type MulticastV4Membership, type MulticastV6Membership } from "./multicast.ts";

/** What a datagram socket is bound to. */
export interface DatagramOptions {
  /** The own port; absent or 0: one that is free. */
  readonly port?: number;
  /** An own address; absent or "0.0.0.0": every one, and broadcasts. */
  readonly hostname?: string;
  /** Only for the shape: UDP is all there is. */
  readonly transport?: "udp";
  /** Whether what is sent to groups comes to the sockets of this stack that have joined them, too. Default false. */
  readonly loopback?: boolean;
  /** How many bytes may have arrived and not been received; what comes then is dropped. Default 256 KiB. */
  readonly receiveBuffer?: number;
}

/** A datagram and who sent it. */
export type Datagram = [Uint8Array<ArrayBuffer>, UdpAddr];

/** What a queued datagram takes beside its bytes. */
const OVERHEAD = 128;

/** The longest payload of a datagram: what is over the path's MTU is sent in fragments. */
const LONGEST_V4 = 65_507, LONGEST_V6 = 65_527;

const UNSPECIFIED = new Address();

/** A UDP socket, in the shape of `Deno.DatagramConn`. */
export class DatagramConn implements AsyncIterable<Datagram>, Disposable {
  /** The own address and port. */
  readonly addr: UdpAddr;
  /** Datagrams dropped because nobody received those before. */
  dropped = 0;
  readonly #host: Host;
  readonly #binding: Binding;
  readonly #source: Address;
  readonly #life: Hold;
  readonly #groups: Groups;
  readonly #limit: number;
  readonly #queue: Datagram[] = [];
  readonly #waiting: PromiseWithResolvers<Datagram>[] = [];
  #queued = 0;
  #isClosed = false;

  /** Made by `stack.listenDatagram`. */
  constructor(host: Host, options: DatagramOptions) {
    host.check();
    const { port = 0, hostname = "0.0.0.0", receiveBuffer = 1 << 18 } = options;
    checkPort(port);
    // Bound to a group, a socket hears what is sent to that; what it sends leaves from an own address all the same.
    const group = tryHostname(hostname);
    const address = group?.isMulticast ? group : host.ownAddress(hostname);
    this.#host = host;
    this.#limit = receiveBuffer;
    this.#source = address === undefined || address.isMulticast ? UNSPECIFIED : address;
    this.#groups = new Groups(host.ip.addresses, () => host.wake());
    this.#groups.loopback = options.loopback ?? false;
    const binding = host.udp.bind(
      { port, ...(address === undefined ? {} : { address }) },
      (packet) => this.#take(packet),
    );
    if (binding === undefined) throw addressInUse();
    this.#binding = binding;
    this.#life = host.hold(0);
    this.addr = { transport: "udp", hostname: String(address ?? "0.0.0.0"), port: binding.port };
    host.sockets.add(this);
  }

  /**
   * Sends a datagram and answers with its length. It has left then, or waits for its neighbour's look-up, in vain if
   * there is no such neighbour. Throws a NetworkUnreachable if there is no way, a TypeError if it is too long.
   */
  async send(bytes: Uint8Array, addr: Deno.Addr): Promise<number> {
    this.#check();
    const hold = this.#host.hold();
    try {
      return await this.#send(bytes, addr);
    } finally {
      hold.end();
    }
  }

  async #send(bytes: Uint8Array, addr: Deno.Addr): Promise<number> {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("a datagram is a Uint8Array");
    if (!("hostname" in addr) || addr.transport !== "udp") {
      throw new TypeError(
        `a datagram goes to { transport: "udp", hostname, port }, not to ${addr.transport}`,
      );
    }
    const destination = tryHostname(addr.hostname) ?? await this.#host.names.address(addr.hostname);
    this.#check();
    const destinationPort = checkPort(addr.port, 1);
    const longest = destination.isV4 ? LONGEST_V4 : LONGEST_V6;
    if (bytes.length > longest) {
      const text = `Message too long: ${bytes.length} bytes, but a datagram takes ${longest}`;
      throw coded(new TypeError(text), "EMSGSIZE");
    }
    const { addresses } = this.#host.ip;
    const isGroup = destination.isMulticast || destination.isBroadcast ||
      addresses.isDirectedBroadcast(destination);
    if (!isGroup) this.#host.sourceFor(destination);
    const { outbox } = this.#host;
    if (outbox.isFull) {
      await outbox.turn();
      if (this.#isClosed) outbox.pass();
      this.#check();
    }
    const { promise, resolve } = Promise.withResolvers<LayerError>();
    const copy = bytes.slice();
    outbox.push({
      source: this.#source,
      destination,
      sourcePort: this.#binding.port,
      destinationPort,
      length: bytes.length,
      bytes: copy,
      done: resolve,
      ...(destination.isMulticast ? { hopLimit: this.#groups.ttl } : {}),
    });
    this.#host.wake();
    const error = await promise;
    if (error === LayerError.None) {
      if (destination.isMulticast && this.#groups.loopback) {
        this.#loopBack(copy, destination, destinationPort);
      }
      return bytes.length;
    }
    throw coded(new Deno.errors.NetworkUnreachable("Network is unreachable"), "ENETUNREACH");
  }

  /** The next datagram, in `buffer` if given, as much of it as fits. */
  async receive(buffer?: Uint8Array): Promise<Datagram> {
    const [bytes, addr] = await this.#next();
    if (buffer === undefined) return [bytes, addr];
    const length = Math.min(bytes.length, buffer.length);
    buffer.set(bytes.subarray(0, length));
    return [buffer.subarray(0, length) as Uint8Array<ArrayBuffer>, addr];
  }

  /** Frees the port. Whoever waits is told by an Interrupted; an iteration ends. */
  close(): void {
    this.#check();
    this[Symbol.dispose]();
  }

  /** Keeps the program running while somebody waits for a datagram, as at first. */
  ref(): void {
    this.#life.ref();
  }

  /** Lets the program end all the same. */
  unref(): void {
    this.#life.unref();
  }

  /**
   * Joins an IPv4 group (RFC 1112), which the link is told of (RFC 3376), until the socket is closed. `networkInterface` is
   * an own address, or "0.0.0.0".
   */
  async joinMulticastV4(address: string, networkInterface: string): Promise<MulticastV4Membership> {
    this.#check();
    this.#host.ownAddress(networkInterface);
    return await Promise.resolve(this.#groups.join(address, true));
  }

  /** The same for an IPv6 group (RFC 3810). `networkInterface` is the number of an interface; the stack has one. */
  async joinMulticastV6(address: string, networkInterface: number): Promise<MulticastV6Membership> {
    this.#check();
    if (!Number.isInteger(networkInterface) || networkInterface < 0) {
      throw new TypeError(`an interface has a whole number from 0, not ${networkInterface}`);
    }
    return await Promise.resolve(this.#groups.join(address, false));
  }

  /** Datagram after datagram, until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Datagram, undefined> {
    while (!this.#isClosed) {
      try {
        yield await this.receive();
      } catch (error) {
        if (this.#isClosed) return;
        throw error;
      }
    }
  }

  /** Closes it; a second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#binding.close();
    this.#groups.close();
    this.#life.end();
    this.#host.sockets.delete(this);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(interrupted());
  }

  #next(): Promise<Datagram> {
    if (this.#isClosed) return Promise.reject(closed());
    const datagram = this.#queue.shift();
    if (datagram !== undefined) {
      this.#queued -= OVERHEAD + datagram[0].length;
      return Promise.resolve(datagram);
    }
    const waiting = Promise.withResolvers<Datagram>();
    this.#waiting.push(waiting);
    this.#life.begin();
    return waiting.promise;
  }

  /** RFC 1112 6.1: what is sent to a group comes to those on this host that are in it, too. */
  #loopBack(bytes: Uint8Array, group: Address, port: number): void {
    const { addresses } = this.#host.ip;
    const own = this.#source.isUnspecified ? addresses.sourceFor(group, group) : this.#source;
    if (own === undefined) return;
    const addr: UdpAddr = { transport: "udp", hostname: String(own), port: this.#binding.port };
    for (const socket of this.#host.sockets) {
      if (socket instanceof DatagramConn) socket.#hear(bytes, group, port, addr);
    }
  }

  #hear(bytes: Uint8Array, group: Address, port: number, from: UdpAddr): void {
    const { address } = this.#binding;
    if (this.#binding.port !== port || !this.#groups.has(group)) return;
    if (address === undefined || address.equals(group)) this.#put(bytes, from);
  }

  #take(packet: UdpIn): void {
    const { bytes, end } = packet.frame;
    const from: UdpAddr = { transport: "udp", hostname: String(packet.ip.source), port: packet.sourcePort };
    this.#put(bytes.subarray(packet.payloadAt, end), from);
  }

  /** A datagram is received, or waits for that if there is room. The bytes are copied. */
  #put(bytes: Uint8Array, from: UdpAddr): void {
    const size = OVERHEAD + bytes.length;
    const waiting = this.#waiting.shift();
    if (waiting === undefined && this.#queued + size > this.#limit) {
      this.dropped++;
      return;
    }
    const datagram: Datagram = [new Uint8Array(bytes), from];
    if (waiting !== undefined) {
      this.#life.done();
      return waiting.resolve(datagram);
    }
    this.#queued += size;
    this.#queue.push(datagram);
  }

  #check(): void {
    if (this.#isClosed) throw badResource();
  }
}

function closed(): Error {
  return badResource("Socket has been closed");
}

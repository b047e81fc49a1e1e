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
import { badResource, coded } from "./errors.ts";
import { addressInUse, type Host } from "./host.ts";
import type { Hold } from "./lifetime.ts";

/** What a datagram socket is bound to. */
export interface DatagramOptions {
  /** The own port; absent or 0: one that is free. */
  readonly port?: number;
  /** An own address; absent or "0.0.0.0": every one, and broadcasts. */
  readonly hostname?: string;
  /** Only for the shape: UDP is all there is. */
  readonly transport?: "udp";
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
    const address = host.ownAddress(hostname);
    this.#host = host;
    this.#limit = receiveBuffer;
    this.#source = address ?? UNSPECIFIED;
    const binding = host.udp.bind(
      { port, ...(address === undefined ? {} : { address }) },
      (packet) => this.#take(packet),
    );
    if (binding === undefined) throw addressInUse();
    this.#binding = binding;
    this.#life = host.hold();
    this.addr = { transport: "udp", hostname: String(address ?? "0.0.0.0"), port: binding.port };
    host.sockets.add(this);
  }

  /**
   * Sends a datagram and answers with its length. It has left then, or waits for its neighbour's look-up, in vain if
   * there is no such neighbour. Throws a NetworkUnreachable if there is no way, a TypeError if it is too long.
   */
  async send(bytes: Uint8Array, addr: Deno.Addr): Promise<number> {
    this.#check();
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
    await outbox.room();
    this.#check();
    const { promise, resolve } = Promise.withResolvers<LayerError>();
    outbox.push({
      source: this.#source,
      destination,
      sourcePort: this.#binding.port,
      destinationPort,
      length: bytes.length,
      bytes: bytes.slice(),
      done: resolve,
    });
    this.#host.wake();
    const error = await promise;
    if (error === LayerError.None) return bytes.length;
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

  /** Frees the port. Whoever waits is told by a BadResource; an iteration ends. */
  close(): void {
    this.#check();
    this[Symbol.dispose]();
  }

  /** Keeps the program running, as at first. */
  ref(): void {
    this.#life.ref();
  }

  /** Lets the program end though the socket is open. */
  unref(): void {
    this.#life.unref();
  }

  /** Not supported: IGMP is not spoken. Always rejects. */
  joinMulticastV4(_address: string, _networkInterface: string): Promise<never> {
    return Promise.reject(
      new Deno.errors.NotSupported("multicast groups cannot be joined: there is no IGMP"),
    );
  }

  /** Not supported: IPv6 is not spoken. Always rejects. */
  joinMulticastV6(_address: string, _networkInterface: number): Promise<never> {
    return Promise.reject(
      new Deno.errors.NotSupported("multicast groups cannot be joined: there is no IPv6"),
    );
  }

  /** Datagram after datagram, until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Datagram, undefined> {
    while (!this.#isClosed) {
      try {
        yield await this.receive();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        throw error;
      }
    }
  }

  /** Closes it; a second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#binding.close();
    this.#life.end();
    this.#host.sockets.delete(this);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
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
    return waiting.promise;
  }

  #take(packet: UdpIn): void {
    const size = OVERHEAD + packet.length;
    const waiting = this.#waiting.shift();
    if (waiting === undefined && this.#queued + size > this.#limit) {
      this.dropped++;
      return;
    }
    const { bytes, end } = packet.frame;
    const addr: UdpAddr = {
      transport: "udp",
      hostname: String(packet.ip.source),
      port: packet.sourcePort,
    };
    const datagram: Datagram = [new Uint8Array(bytes.subarray(packet.payloadAt, end)), addr];
    if (waiting !== undefined) return waiting.resolve(datagram);
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

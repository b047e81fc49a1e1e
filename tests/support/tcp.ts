/** TCP hosts on a simulated network, and users that send a pattern and check what they receive. */
import {
  Address,
  type Capabilities,
  Eth,
  type Faults,
  Icmp,
  Ip,
  Mac,
  type Network,
  type Port,
  protocols,
} from "../../mod.ts";
import { segmenting } from "../../nic/segmenting.ts";
import { type ReceiveBuffer, type SendBuffer, StreamReceive, StreamSend } from "../../stack/tcp/buffers.ts";
import type { CloseReason, Connection, ConnectionHandler } from "../../stack/tcp/connection.ts";
import { Tcp, type TcpOptions } from "../../stack/tcp/endpoint.ts";
import type { Slot } from "../../stack/slot.ts";
import { isV6 } from "./family.ts";
import { readSegment, type SegmentView } from "./tcp-frames.ts";

/** A host of the test network: 10.0.0.N, or fd00::N where it is IPv6's turn. */
export interface TcpHost {
  readonly address: Address;
  readonly tcp: Tcp;
  readonly ip: Ip;
  readonly port: Port;
  /** Loses the segments to this host that it answers true for. */
  drop: ((segment: SegmentView) => boolean) | undefined;
}

/**
 * Attaches host `number` with the same faults both ways. All hosts know each other's link addresses. With `supers` its
 * TCP hands down many segments in one, which are cut before they leave.
 */
export function tcpHost(
  network: Network,
  number: number,
  faults: { ingress?: Faults; egress?: Faults; capabilities?: Capabilities; supers?: boolean } = {},
  options: Partial<TcpOptions> = {},
  overIpv6: boolean = isV6(),
): TcpHost {
  const [net, prefix] = overIpv6 ? ["fd00::", 64] : ["10.0.0.", 24];
  const address = Address.parse(`${net}${number}`);
  const ip = new Ip({ addresses: [`${address}/${prefix}`] });
  for (const host of [1, 2, 3]) {
    ip.neighbours.setStatic(Address.parse(`${net}${host}`), Mac.parse(`02:00:00:00:00:0${host}`));
  }
  const tcp = new Tcp({ secret: [number, 2, 3, 4], ...options });
  const eth = new Eth({ mac: `02:00:00:00:00:0${number}` });
  const tree = eth.recv(ip.recv(protocols({ icmp: new Icmp().answer(), tcp: tcp.recv() })));
  const receiver = tcp.joining(tree);
  const receive = (slot: Slot): void => {
    const { bytes, start, end } = slot.frame;
    const segment = host.drop === undefined ? undefined : readSegment(bytes, start, end);
    if (segment === undefined || !host.drop?.(segment)) receiver.receive(slot);
  };
  const sender = eth.send(ip.send(tcp.send()));
  const port = network.attach({
    name: `host ${number}`,
    receive: { receive },
    send: faults.supers === true ? segmenting(sender) : sender,
    ...faults,
  });
  const host: TcpHost = { address, tcp, ip, port, drop: undefined };
  return host;
}

/** A handler with the buffers of its connection. */
export interface User extends ConnectionHandler {
  readonly send: SendBuffer;
  readonly receive: ReceiveBuffer;
}

/** Sends `length` bytes of a pattern, reads all that comes and checks it, then closes. */
export class PatternUser implements User {
  readonly send: StreamSend;
  readonly receive: StreamReceive;
  /** Bytes that came so far, and whether one of them was wrong. */
  received = 0;
  wrong = 0;
  isOpen = false;
  peerHasClosed = false;
  reason: CloseReason | undefined;
  connection: Connection | undefined;
  readonly #length: number;
  #written = 0;
  readonly #chunk = new Uint8Array(65_536);
  /** Whether the user reads; if not, the window closes. */
  reads = true;

  constructor(length: number, buffer: number = 1 << 16) {
    this.#length = length;
    this.send = new StreamSend(buffer);
    this.receive = new StreamReceive(buffer);
  }

  readonly opened = (c: Connection): void => {
    this.isOpen = true;
    this.connection = c;
    this.write(c);
  };

  readonly readable = (c: Connection): void => {
    if (this.reads) this.read(c);
  };

  readonly writable = (c: Connection): void => this.write(c);

  readonly peerClosed = (c: Connection): void => {
    if (this.reads) this.read(c);
    this.peerHasClosed = true;
  };

  readonly closed = (_c: Connection, reason: CloseReason): void => {
    this.reason = reason;
  };

  write(c: Connection): void {
    while (this.#written < this.#length && this.send.free > 0) {
      const count = Math.min(this.#length - this.#written, this.send.free, this.#chunk.length);
      for (let index = 0; index < count; index++) this.#chunk[index] = patternAt(this.#written + index);
      this.send.write(this.#chunk, 0, count);
      this.#written += count;
    }
    c.flush();
    if (this.#written === this.#length) c.close();
  }

  read(c: Connection): void {
    for (;;) {
      const count = this.receive.read(this.#chunk);
      if (count === 0) break;
      for (let index = 0; index < count; index++) {
        if (this.#chunk[index] !== patternAt(this.received + index)) this.wrong++;
      }
      this.received += count;
    }
    c.flush();
  }
}

/** The byte of the pattern at an offset. */
export function patternAt(offset: number): number {
  return (Math.imul(offset, 31) + (offset >>> 8)) & 0xff;
}

/** Listens on a port with one user for every connection. */
export function listenWith<U extends User>(host: TcpHost, port: number, make: () => U, backlog = 128): U[] {
  const users: U[] = [];
  host.tcp.listen({ port, backlog }, (connection) => {
    const user = make();
    connection.sendBuffer = user.send;
    connection.receiveBuffer = user.receive;
    users.push(user);
    return user;
  });
  return users;
}

/** Connects a user to a host's port. */
export function connectWith(from: TcpHost, to: TcpHost, port: number, user: User): Connection {
  const connection = from.tcp.connect({
    address: to.address,
    port,
    localAddress: from.address,
    sendBuffer: user.send,
    receiveBuffer: user.receive,
    handler: user,
  });
  if (connection === undefined) throw new Error("no slot or no port for a connection");
  return connection;
}

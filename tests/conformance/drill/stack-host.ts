/**
 * The stack of this project as a host for drills: Ethernet, IP, ICMP, TCP and UDP on a NIC that the drill holds both ends of.
 *
 * @module
 */
import { External } from "../../../nic/external.ts";
import { BURST } from "../../../nic/poll.ts";
import { LayerError } from "../../../stack/error.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import { setGuard } from "../../../stack/guard.ts";
import type { Receiver, TimedSender } from "../../../stack/handler.ts";
import { Scope } from "../../../stack/host/addresses.ts";
import { Icmp } from "../../../stack/icmp/endpoint.ts";
import { Ip } from "../../../stack/ip/endpoint.ts";
import type { IpRaw } from "../../../stack/ip/packet.ts";
import { protocols } from "../../../stack/ip/protocols.ts";
import type { Slot } from "../../../stack/slot.ts";
import type { Instant } from "../../../stack/store/time.ts";
import { Tcp } from "../../../stack/tcp/endpoint.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";
import type { UdpInit, UdpRaw } from "../../../stack/udp/packet.ts";
import { Address, multicastMac } from "../../../stack/wire/address.ts";
import * as ethernet from "../../../stack/wire/ethernet.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import type { Config } from "./config.ts";
import {
  done,
  doneWith,
  type DrillHost,
  failed,
  type OptionValue,
  type Outcome,
  type Received,
  type SocketAddress,
  unsupported,
} from "./host.ts";
import type { HostSocket } from "./host-socket.ts";
import { TcpSocket, type TcpSocketHost } from "./stack-tcp.ts";
import { UdpSocket, type UdpSocketHost } from "./stack-udp.ts";

const OWN_MAC = Mac.parse("02:00:00:00:00:01");
const PEER_MAC = Mac.parse("02:00:00:00:00:02");

interface Datagram {
  readonly init: UdpInit;
  readonly data: Uint8Array;
}

/** A host with one interface. Its neighbours are known, so that a drill sees no ARP. */
export class StackHost implements DrillHost, TcpSocketHost, UdpSocketHost {
  readonly tcp: Tcp;
  readonly udp: Udp;
  readonly #ip: Ip;
  readonly #nic: External;
  readonly #receive: Receiver<Slot>;
  readonly #send: TimedSender<Slot>;
  readonly #sockets = new Map<number, HostSocket>();
  #nextFd = 3;
  #outgoing: Datagram | undefined;
  #result: LayerError = LayerError.None;

  /** A host with these addresses, at time 0. */
  constructor(config: Config) {
    const eth = new Eth({ mac: OWN_MAC });
    this.#ip = new Ip({
      addresses: [`${config.local}/${config.prefix}`],
      gateways: [config.gateway],
    });
    const icmp = new Icmp();
    this.tcp = new Tcp({ secret: [1, 2, 3, 4], mtu: config.mtu });
    this.udp = new Udp({ unreachable: icmp });
    this.#nic = new External({ mtu: config.mtu });
    for (const neighbour of [config.gateway, config.remote]) {
      this.#ip.neighbours.setStatic(neighbour, PEER_MAC);
    }
    // A drill also finds packets that are kept too long.
    setGuard(true);
    try {
      const errors = this.tcp.errors(this.udp.errors());
      const upper = protocols({ icmp: icmp.recv(errors), tcp: this.tcp.recv(), udp: this.udp.recv() });
      this.#receive = eth.recv(this.#ip.recv(upper));
      const [tcp, udp] = [this.tcp.send(), this.udp.send((packet) => this.#fill(packet))];
      // A datagram leaves in the call that sends it, so that there is one at most.
      const send = (raw: IpRaw) => this.#outgoing === undefined ? tcp.send(raw) : udp.send(raw);
      this.#send = eth.send(this.#ip.send({ send, deadline: () => tcp.deadline() }));
    } finally {
      setGuard(false);
    }
  }

  setTime(now: Instant): void {
    this.#nic.setTime(now);
  }

  inject(packet: Uint8Array): void {
    const frame = new Uint8Array(ethernet.HEADER_LENGTH + packet.length);
    const isV4 = ipv4.version(packet, 0) === 4;
    const destination = this.#macOf(
      isV4 ? new Address().readV4(packet, ipv4.DESTINATION) : new Address().readV6(packet, ipv6.DESTINATION),
    );
    ethernet.emit(frame, 0, destination, PEER_MAC, isV4 ? EtherType.Ipv4 : EtherType.Ipv6);
    frame.set(packet, ethernet.HEADER_LENGTH);
    if (!this.#nic.inject(frame)) throw new Error("the NIC has no room for the packet");
    const from = new Address();
    this.#meet(isV4 ? from.readV4(packet, ipv4.SOURCE) : from.readV6(packet, ipv6.SOURCE));
  }

  poll(): void {
    while (this.#nic.rx(BURST, this.#receive) + this.#nic.tx(BURST, this.#send) > 0);
  }

  take(): Uint8Array | undefined {
    for (let frame = this.#nic.take(); frame !== undefined; frame = this.#nic.take()) {
      if (ethernet.etherType(frame, 0) !== EtherType.Arp) return frame.slice(ethernet.HEADER_LENGTH);
    }
    return undefined;
  }

  deadline(): Instant {
    return this.#send.deadline();
  }

  socket(domain: string, type: string, protocol: string): Outcome {
    if (domain !== "AF_INET" && domain !== "AF_INET6") return unsupported(`a socket of ${domain}`);
    const any = domain === "AF_INET" ? new Address().setV4(0) : new Address();
    if (type === "SOCK_STREAM") {
      if (protocol !== "0" && protocol !== "IPPROTO_TCP") return failed("EPROTONOSUPPORT");
      return done(this.#add(new TcpSocket(this, any)));
    }
    if (type !== "SOCK_DGRAM") return unsupported(`a socket of ${type}`);
    if (protocol !== "0" && protocol !== "IPPROTO_UDP") return failed("EPROTONOSUPPORT");
    return done(this.#add(new UdpSocket(this, any)));
  }

  close(fd: number): Outcome {
    const outcome = this.#of(fd).close();
    this.#sockets.delete(fd);
    return outcome;
  }

  bind(fd: number, to: SocketAddress): Outcome {
    return this.#of(fd).bind(to);
  }

  connect(fd: number, to: SocketAddress | undefined): Outcome {
    return this.#of(fd).connect(to);
  }

  listen(fd: number, backlog: number): Outcome {
    return this.#of(fd).listen(backlog);
  }

  accept(fd: number): Outcome<SocketAddress | undefined> {
    const outcome = this.#of(fd).accept();
    if (outcome.kind !== "done") return outcome;
    return doneWith(this.#add(outcome.detail.socket), outcome.detail.peer);
  }

  shutdown(fd: number, how: string): Outcome {
    return this.#of(fd).shutdown(how);
  }

  send(fd: number, data: Uint8Array, to: SocketAddress | undefined, flags: readonly string[]): Outcome {
    return this.#of(fd).send(data, to, flags);
  }

  receive(fd: number, length: number, flags: readonly string[]): Outcome<Received> {
    return this.#of(fd).receive(length, flags);
  }

  setOption(fd: number, level: string, name: string, value: OptionValue): Outcome {
    return this.#of(fd).setOption(level, name, value);
  }

  getOption(fd: number, level: string, name: string): Outcome<OptionValue> {
    return this.#of(fd).getOption(level, name);
  }

  query(fd: number, request: string): Outcome<number> {
    return this.#of(fd).query(request);
  }

  localAddress(fd: number): Outcome<SocketAddress> {
    return this.#of(fd).localAddress();
  }

  remoteAddress(fd: number): Outcome<SocketAddress> {
    return this.#of(fd).remoteAddress();
  }

  events(fd: number): readonly string[] {
    return this.#sockets.get(fd)?.events() ?? ["POLLNVAL"];
  }

  owns(address: Address): boolean {
    return address.isUnspecified || this.#ip.addresses.owns(address);
  }

  sourceFor(destination: Address): Address | undefined {
    const { addresses } = this.#ip;
    return addresses.sourceFor(destination, destination);
  }

  transmit(init: UdpInit, data: Uint8Array): LayerError {
    this.#outgoing = { init, data };
    this.#result = LayerError.None;
    this.#meet(init.destination);
    // The IP layer's own packets may go first.
    for (let tries = 0; tries < BURST && this.#outgoing !== undefined; tries++) this.#nic.tx(1, this.#send);
    return this.#result;
  }

  #fill(packet: UdpRaw): void {
    const outgoing = this.#outgoing;
    if (outgoing === undefined) return;
    this.#outgoing = undefined;
    const out = packet.prepare(outgoing.init);
    if (typeof out === "number") {
      this.#result = out;
      return;
    }
    out.frame.bytes.set(outgoing.data, out.payloadAt);
    this.#result = out.send();
  }

  #add(socket: HostSocket): number {
    this.#sockets.set(this.#nextFd, socket);
    return this.#nextFd++;
  }

  #of(fd: number): HostSocket {
    const socket = this.#sockets.get(fd);
    if (socket === undefined) throw new RangeError(`the host has no socket ${fd}`);
    return socket;
  }

  /** Makes whoever is on the own link known as a neighbour. */
  #meet(address: Address): void {
    const { addresses, neighbours } = this.#ip;
    if (!address.isUnicast || addresses.owns(address) || addresses.onLink(address) === undefined) return;
    if (addresses.scope(address) === Scope.Other) neighbours.setStatic(address, PEER_MAC);
  }

  #macOf(destination: Address): Mac {
    if (destination.isMulticast) return multicastMac(destination, new Mac());
    return this.#ip.addresses.scope(destination) === Scope.Broadcast ? Mac.broadcast() : OWN_MAC;
  }
}

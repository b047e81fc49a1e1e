/**
 * A UDP socket over the stack's own handlers: what the socket interface adds is a queue and a pending error.
 *
 * @module
 */
import { LayerError } from "../../../stack/error.ts";
import type { Binding } from "../../../stack/udp/bindings.ts";
import type { Udp } from "../../../stack/udp/endpoint.ts";
import type { UdpIn, UdpInit } from "../../../stack/udp/packet.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as icmpv4 from "../../../stack/wire/icmpv4.ts";
import * as icmpv6 from "../../../stack/wire/icmpv6.ts";
import {
  blocked,
  done,
  doneWith,
  failed,
  type OptionValue,
  type Outcome,
  type Received,
  type SocketAddress,
  unsupported,
} from "./host.ts";
import { HostSocket } from "./host-socket.ts";

/** What a UDP socket needs of the host that it is on. */
export interface UdpSocketHost {
  readonly udp: Udp;
  /** Whether an address is one of the host's own, or none in particular. */
  owns(address: Address): boolean;
  /** The own address that a packet to there leaves from; undefined: there is no way. */
  sourceFor(destination: Address): Address | undefined;
  /** Sends a datagram at once. */
  transmit(init: UdpInit, data: Uint8Array): LayerError;
}

interface Datagram {
  readonly data: Uint8Array;
  readonly from: SocketAddress;
}

/** What an ICMP error is called at the socket interface. */
function errnoOf(type: number, code: number): string {
  const { Type, Unreachable } = icmpv4;
  if (type !== Type.DestinationUnreachable) return type === Type.ParameterProblem ? "EPROTO" : "EHOSTUNREACH";
  switch (code) {
    case Unreachable.Port:
      return "ECONNREFUSED";
    case Unreachable.Protocol:
      return "ENOPROTOOPT";
    case Unreachable.FragmentationNeeded:
      return "EMSGSIZE";
    case Unreachable.Net:
    case Unreachable.NetUnknown:
    case Unreachable.NetProhibited:
    case Unreachable.NetForTrafficClass:
      return "ENETUNREACH";
    default:
      return "EHOSTUNREACH";
  }
}

/** The same for an error of ICMPv6 (Linux' icmpv6_err_convert). */
function errnoOf6(type: number, code: number): string {
  const { Type, Unreachable } = icmpv6;
  if (type === Type.PacketTooBig) return "EMSGSIZE";
  if (type === Type.ParameterProblem) return "EPROTO";
  if (type !== Type.DestinationUnreachable) return "EHOSTUNREACH";
  switch (code) {
    case Unreachable.NoRoute:
      return "ENETUNREACH";
    case Unreachable.Port:
      return "ECONNREFUSED";
    case Unreachable.AdministrativelyProhibited:
    case Unreachable.SourcePolicy:
    case Unreachable.RejectRoute:
      return "EACCES";
    default:
      return "EHOSTUNREACH";
  }
}

const ERRNO: Readonly<Record<number, string>> = {
  [LayerError.Illegal]: "EINVAL",
  [LayerError.BadSize]: "EMSGSIZE",
  [LayerError.Unreachable]: "ENETUNREACH",
  [LayerError.Exhausted]: "ENOBUFS",
};

/** A datagram socket. */
export class UdpSocket extends HostSocket {
  readonly #host: UdpSocketHost;
  readonly #any: Address;
  readonly #queue: Datagram[] = [];
  #binding: Binding | undefined;
  #peer: SocketAddress | undefined;
  /** The own address that was asked for; undefined: any. */
  #address: Address | undefined;
  #error: string | undefined;

  /** A socket without a name. `any` is its family's unspecified address. */
  constructor(host: UdpSocketHost, any: Address) {
    super();
    this.#host = host;
    this.#any = any;
  }

  bind({ address, port }: SocketAddress): Outcome {
    if (this.#binding !== undefined) return failed("EINVAL");
    if (address.isV4 !== this.#any.isV4) return failed("EAFNOSUPPORT");
    if (!this.#host.owns(address)) return failed("EADDRNOTAVAIL");
    this.#address = address.isUnspecified ? undefined : address;
    return this.#open(port) ? done() : failed("EADDRINUSE");
  }

  connect(to: SocketAddress | undefined): Outcome {
    const port = this.#binding?.port ?? 0;
    if (to === undefined) {
      this.#peer = undefined;
      return this.#binding === undefined || this.#reopen(port) ? done() : failed("EADDRINUSE");
    }
    if (to.address.isV4 !== this.#any.isV4) return failed("EAFNOSUPPORT");
    if (this.#host.sourceFor(to.address) === undefined) return failed("ENETUNREACH");
    this.#peer = to;
    return this.#reopen(port) ? done() : failed("EADDRINUSE");
  }

  send(data: Uint8Array, to: SocketAddress | undefined, _flags: readonly string[]): Outcome {
    const error = this.#takeError();
    if (error !== undefined) return failed(error);
    const target = to ?? this.#peer;
    if (target === undefined) return failed("EDESTADDRREQ");
    if (target.port === 0) return failed("EINVAL");
    if (this.#binding === undefined && !this.#open(0)) return failed("EAGAIN");
    const init: UdpInit = {
      source: this.#address ?? this.#any,
      destination: target.address,
      sourcePort: this.#binding!.port,
      destinationPort: target.port,
      length: data.length,
    };
    const result = this.#host.transmit(init, data);
    return result === LayerError.None ? done(data.length) : failed(ERRNO[result] ?? "EIO");
  }

  receive(length: number, flags: readonly string[]): Outcome<Received> {
    const error = this.#takeError();
    if (error !== undefined) return failed(error);
    const [datagram] = this.#queue;
    if (datagram === undefined) return blocked();
    if (!flags.includes("MSG_PEEK")) this.#queue.shift();
    const { data, from } = datagram;
    const isCut = data.length > length;
    const got = { data: data.subarray(0, length), from, flags: isCut ? ["MSG_TRUNC"] : [] };
    return doneWith(flags.includes("MSG_TRUNC") ? data.length : got.data.length, got);
  }

  localAddress(): Outcome<SocketAddress> {
    const own = this.#peer === undefined ? undefined : this.#host.sourceFor(this.#peer.address);
    return doneWith(0, { address: this.#address ?? own ?? this.#any, port: this.#binding?.port ?? 0 });
  }

  remoteAddress(): Outcome<SocketAddress> {
    return this.#peer === undefined ? failed("ENOTCONN") : doneWith(0, this.#peer);
  }

  override getOption(level: string, name: string): Outcome<OptionValue> {
    if (level !== "SOL_SOCKET" || name !== "SO_ERROR") return super.getOption(level, name);
    return doneWith(0, this.#takeError() ?? 0);
  }

  override query(request: string): Outcome<number> {
    if (request !== "FIONREAD" && request !== "SIOCINQ") return unsupported(`the request ${request}`);
    return doneWith(0, this.#queue[0]?.data.length ?? 0);
  }

  events(): readonly string[] {
    const events = ["POLLOUT"];
    if (this.#queue.length > 0) events.push("POLLIN");
    if (this.#error !== undefined) events.push("POLLERR");
    return events;
  }

  close(): Outcome {
    this.#binding?.close();
    this.#binding = undefined;
    return done();
  }

  #takeError(): string | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  #reopen(port: number): boolean {
    this.#binding?.close();
    return this.#open(port);
  }

  #open(port: number): boolean {
    this.#binding = this.#host.udp.bind({
      port,
      ...(this.#address === undefined ? {} : { address: this.#address }),
      ...(this.#peer === undefined ? {} : { peer: this.#peer }),
      onError: (type, code) => {
        this.#error = this.#any.isV4 ? errnoOf(type, code) : errnoOf6(type, code);
      },
    }, (packet) => this.#queue.push(copy(packet)));
    return this.#binding !== undefined;
  }
}

function copy(packet: UdpIn): Datagram {
  const { frame, payloadAt, ip, sourcePort } = packet;
  const address = new Address().copy(ip.source);
  return { data: frame.bytes.slice(payloadAt, frame.end), from: { address, port: sourcePort } };
}

/**
 * Builds the packets that a script lets come in: all lengths and checksums right, unless the script wants them wrong.
 *
 * @module
 */
import { put16, put32 } from "../../../stack/wire/bytes.ts";
import { checksum, pseudo } from "../../../stack/wire/checksum.ts";
import * as icmpv4 from "../../../stack/wire/icmpv4.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import * as udp from "../../../stack/wire/udp.ts";
import type { IcmpBody, IpInfo, PacketAction, Pair, TcpBody, UdpBody } from "./ast.ts";
import { buildIp, carry, spoil } from "./build-ip.ts";
import type { Flow } from "./flow.ts";
import type { SocketAddress } from "./host.ts";
import { icmpNumbers, isEcho } from "./icmp-names.ts";
import { NO_INFO } from "./parse-carrier.ts";
import { AE } from "./parse-tcp.ts";
import { datagramBytes, streamBytes } from "./pattern.ts";
import { optionBytes } from "./tcp-options.ts";

/** The window of segments that come in without one. */
const WINDOW = 65_535;

/** A packet that comes in, as bytes from its IP header on; or, as text, why it cannot be built. */
export function buildPacket(action: PacketAction, flow: Flow): Uint8Array | string {
  const ends = endsOf(action, flow);
  const { source, destination } = { source: ends.source.address, destination: ends.destination.address };
  const payload = buildBody(action, ends, flow);
  if (typeof payload === "string") return payload;
  const protocol = action.body.kind === "icmp"
    ? (source.isV4 ? Protocol.Icmp : Protocol.Icmpv6)
    : action.body.kind === "udp"
    ? Protocol.Udp
    : Protocol.Tcp;
  const packet = carry(buildIp({ source, destination }, action.ip, protocol, payload), action.carriers);
  if (packet.etherType === 0 || action.carriers[0]?.kind === "mpls") {
    return "a packet in GRE or MPLS that no IP header carries";
  }
  return packet.bytes;
}

/** Who sends a packet to whom: what the script says, or else the conversation's ends. */
export function endsOf(action: PacketAction, flow: Flow): Pair<SocketAddress> {
  const [source, destination] = action.direction === "in"
    ? [flow.remote, flow.local]
    : [flow.local, flow.remote];
  const end = (which: "source" | "destination", other: SocketAddress) => ({
    address: action.addresses?.[which] ?? other.address,
    port: action.ports?.[which] ?? other.port,
  });
  return { source: end("source", source), destination: end("destination", destination) };
}

function buildBody(action: PacketAction, ends: Pair<SocketAddress>, flow: Flow): Uint8Array | string {
  const { body, ip } = action;
  if (body.kind === "tcp") return buildTcp(body, ip, ends, flow);
  return body.kind === "udp" ? buildUdp(body, ip, ends) : buildIcmp(body, ip, ends, flow);
}

function buildTcp(body: TcpBody, info: IpInfo, ends: Pair<SocketAddress>, flow: Flow): Uint8Array | string {
  if (body.mutation !== undefined) return "a packet that a fuzzer mutates";
  if (body.options === "any") return "a packet with unknown options";
  const options = optionBytes(body.options, flow);
  if (typeof options === "string") return options;
  const { source, destination } = ends;
  const header = tcp.HEADER_LENGTH + options.length;
  const bytes = new Uint8Array(header + body.length);
  const isSyn = (body.flags.bits & tcp.Flag.Syn) !== 0;
  if (isSyn) flow.begin(body.sequence);
  if ((body.flags.bits & tcp.Flag.Rst) !== 0) flow.finish();
  const acknowledgment = body.acknowledgment === undefined ? 0 : flow.toWire(body.acknowledgment);
  const [from, to] = [source.port, destination.port];
  const flags = body.flags.bits & 0xff;
  tcp.emit(bytes, 0, from, to, body.sequence, acknowledgment, header, flags, body.window ?? WINDOW);
  if ((body.flags.bits & AE) !== 0) bytes[12]! |= 1;
  tcp.setUrgentPointer(bytes, 0, body.urgent ?? 0);
  bytes.set(options, tcp.HEADER_LENGTH);
  const offset = isSyn ? 0 : (body.sequence - flow.remoteData) >>> 0;
  bytes.set(streamBytes(offset, body.length), header);
  tcp.fillChecksum(bytes, 0, bytes.length, source.address, destination.address);
  if (info.fault === "badsum") spoil(bytes, tcp.CHECKSUM);
  return bytes;
}

function buildUdp(body: UdpBody, info: IpInfo, ends: Pair<SocketAddress>): Uint8Array {
  const { source, destination } = ends;
  const bytes = new Uint8Array(udp.HEADER_LENGTH + body.length);
  udp.emit(bytes, 0, source.port, destination.port, bytes.length);
  bytes.set(datagramBytes(body.length), udp.HEADER_LENGTH);
  udp.fillChecksum(bytes, 0, source.address, destination.address);
  if (info.fault === "badsum") spoil(bytes, udp.CHECKSUM);
  if (info.fault === "nosum") udp.setChecksum(bytes, 0, udp.NO_CHECKSUM);
  return bytes;
}

const ICMP_CHECKSUM = 2;

function buildIcmp(body: IcmpBody, info: IpInfo, ends: Pair<SocketAddress>, flow: Flow): Uint8Array | string {
  const { isV4 } = ends.source.address;
  const numbers = icmpNumbers(isV4, body.type, body.code);
  if (typeof numbers === "string") return numbers;
  const quoted = icmpPayload(body, flow);
  const bytes = new Uint8Array(icmpv4.HEADER_LENGTH + quoted.length);
  bytes[0] = numbers.type;
  bytes[1] = numbers.code;
  if (isEcho(isV4, numbers.type)) {
    put16(bytes, 4, body.identifier ?? 0);
    put16(bytes, 6, body.sequence ?? 0);
  } else put32(bytes, 4, body.mtu ?? 0);
  bytes.set(quoted, icmpv4.HEADER_LENGTH);
  const { source, destination } = { source: ends.source.address, destination: ends.destination.address };
  // RFC 4443 2.3: ICMPv6's checksum covers a pseudo-header, ICMP's does not.
  const initial = isV4 ? 0 : pseudo(source, destination, Protocol.Icmpv6, bytes.length);
  put16(bytes, ICMP_CHECKSUM, checksum(bytes, 0, bytes.length, initial));
  if (info.fault === "badsum") spoil(bytes, ICMP_CHECKSUM);
  return bytes;
}

/** An echo's data, or the packet of the stack's that an error is about. */
function icmpPayload({ quoted }: IcmpBody, flow: Flow): Uint8Array {
  const { local, remote } = flow;
  if (quoted === undefined) return new Uint8Array(0);
  // The length of "raw" counts ICMP's header.
  if (quoted.kind === "raw") return datagramBytes(Math.max(0, quoted.length - icmpv4.HEADER_LENGTH));
  const ends = { source: local, destination: remote };
  const addresses = { source: local.address, destination: remote.address };
  if (quoted.kind === "udp") {
    const bytes = buildUdp({ kind: "udp", length: quoted.length }, NO_INFO, ends);
    return cut(buildIp(addresses, NO_INFO, Protocol.Udp, bytes).bytes);
  }
  const bytes = new Uint8Array(tcp.HEADER_LENGTH + quoted.length);
  const sequence = flow.toWire(quoted.sequence);
  tcp.emit(bytes, 0, local.port, remote.port, sequence, 0, tcp.HEADER_LENGTH, tcp.Flag.Ack, WINDOW);
  tcp.fillChecksum(bytes, 0, bytes.length, local.address, remote.address);
  return cut(buildIp(addresses, NO_INFO, Protocol.Tcp, bytes).bytes);
}

/** RFC 1812 4.3.2.3: an error is at most 576 bytes long, its own headers included. */
function cut(packet: Uint8Array): Uint8Array {
  return packet.subarray(0, 576 - 20 - icmpv4.HEADER_LENGTH);
}

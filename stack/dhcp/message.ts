/**
 * The messages of a DHCP client (RFC 2131 4.3.6 and table 5).
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import * as dhcp from "../wire/dhcpv4.ts";
import type { Mac } from "../wire/mac.ts";

/** What the client says of itself in every message. */
export interface ClientIdentity {
  /** The own hardware address. */
  readonly mac: Mac;
  /** Tells this client from others. */
  readonly identifier: Uint8Array;
  /** The own name as bytes; undefined: none is told. */
  readonly hostname: Uint8Array | undefined;
}

/** What differs from message to message. An address that is undefined is not told. */
export interface ClientMessage {
  readonly type: number;
  readonly xid: number;
  readonly secs: number;
  /** The address that the client has and can be reached by. */
  readonly own: Address | undefined;
  /** The address that it wants, or does not want. */
  readonly requested: Address | undefined;
  /** The server that is meant. */
  readonly server: Address | undefined;
}

/** The longest message that is made: every host takes packets of 576 bytes (RFC 2131 2). */
export const MESSAGE_MAX = 548;

const { Option, MessageType } = dhcp;

/** What is asked for, RFC 3442's routes before routers as it wants. */
const PARAMETERS = [
  Option.SubnetMask,
  Option.ClasslessRoutes,
  Option.Router,
  Option.DnsServer,
  Option.DomainName,
  Option.DomainSearch,
  Option.Mtu,
  Option.LeaseTime,
  Option.RenewalTime,
  Option.RebindingTime,
];

/** Writes a client's message to the start of `bytes` and answers with its length. `mtu` is the link's. */
export function writeMessage(
  bytes: Uint8Array,
  { mac, identifier, hostname }: ClientIdentity,
  message: ClientMessage,
  mtu: number,
): number {
  const { type, own, requested, server } = message;
  // RFC 2131 4.1: a client that has no address yet asks for replies to all, lest its own IP drops them.
  const wantsBroadcast = own === undefined && (type === MessageType.Discover || type === MessageType.Request);
  let at = dhcp.emit(bytes, 0, dhcp.Op.Request, message.xid, message.secs, wantsBroadcast, mac);
  if (own !== undefined) own.writeV4(bytes, dhcp.CLIENT_ADDRESS);
  at = dhcp.put8Option(bytes, at, Option.MessageType, type);
  at = dhcp.putOption(bytes, at, Option.ClientIdentifier, identifier);
  if (requested !== undefined) at = dhcp.put32Option(bytes, at, Option.RequestedAddress, requested.d);
  if (server !== undefined) at = dhcp.put32Option(bytes, at, Option.ServerIdentifier, server.d);
  // RFC 2131 table 5: DECLINE and RELEASE must not ask for anything.
  if (type === MessageType.Discover || type === MessageType.Request) {
    at = dhcp.put16Option(bytes, at, Option.MaximumSize, Math.max(576, Math.min(mtu, 1_500)));
    at = dhcp.putOption(bytes, at, Option.ParameterList, PARAMETERS);
    if (hostname !== undefined) at = dhcp.putOption(bytes, at, Option.HostName, hostname);
  }
  return dhcp.putEnd(bytes, 0, at);
}

/**
 * A DHCP client on virtual time, and a server whose every word a test chooses.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { DhcpClient, type DhcpClientOptions } from "../../stack/dhcp/client.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { Random } from "../../stack/loss/random.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { Udp } from "../../stack/udp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { get16, get32 } from "../../stack/wire/bytes.ts";
import * as dhcp from "../../stack/wire/dhcpv4.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as udpWire from "../../stack/wire/udp.ts";
import { BROADCAST_MAC, ethernet, ipv4, OWN_MAC, PEER_MAC, read } from "./frames.ts";
import { type Host, host } from "./host.ts";

const { Option } = dhcp;

/** The server, and what it leases. */
export const SERVER = "10.0.0.2", LEASED = "10.0.0.50";

/** A message taken apart; addresses as text, undefined where they are 0.0.0.0 or not told. */
export interface DhcpView {
  readonly op: number;
  readonly type: number;
  readonly xid: number;
  readonly secs: number;
  readonly broadcast: boolean;
  readonly own: string | undefined;
  readonly yours: string | undefined;
  readonly requested: string | undefined;
  readonly server: string | undefined;
  readonly lease: number | undefined;
  /** Of the IP packet around. */
  readonly from: string;
  readonly to: string;
  /** Of the frame around. */
  readonly station: string;
  readonly bytes: Uint8Array;
}

/** The bytes of an option; undefined: there is none. */
export function optionOf(bytes: Uint8Array, code: number): Uint8Array | undefined {
  const into = new Uint8Array(1_024);
  const length = dhcp.readOption(bytes, 0, bytes.length, code, into);
  return length < 0 ? undefined : into.slice(0, length);
}

/** Takes a frame with a DHCP message apart, or answers undefined if it has none. */
export function readDhcp(frame: Uint8Array): DhcpView | undefined {
  const view = read(frame);
  if (view.ip?.protocol !== Protocol.Udp) return undefined;
  const ports = [get16(view.payload, 0), get16(view.payload, 2)];
  if (!ports.includes(dhcp.SERVER_PORT)) return undefined;
  const bytes = view.payload.slice(udpWire.HEADER_LENGTH);
  equal(dhcp.check(bytes, 0, bytes.length), 0, "what is sent is well-formed");
  ok(bytes.length >= dhcp.LENGTH_MIN);
  const field = (at: number) => {
    const address = new Address().readV4(bytes, at);
    return address.isUnspecified ? undefined : String(address);
  };
  const address = (code: number) => {
    const value = optionOf(bytes, code);
    return value === undefined ? undefined : String(new Address().readV4(value, 0));
  };
  const lease = optionOf(bytes, Option.LeaseTime);
  return {
    op: dhcp.op(bytes, 0),
    type: optionOf(bytes, Option.MessageType)?.[0] ?? 0,
    xid: dhcp.xid(bytes, 0),
    secs: dhcp.secs(bytes, 0),
    broadcast: dhcp.isBroadcast(bytes, 0),
    own: field(dhcp.CLIENT_ADDRESS),
    yours: field(dhcp.YOUR_ADDRESS),
    requested: address(Option.RequestedAddress),
    server: address(Option.ServerIdentifier),
    lease: lease === undefined ? undefined : get32(lease, 0) >>> 0,
    from: view.ip.source,
    to: view.ip.destination,
    station: view.destination,
    bytes,
  };
}

/** What a reply says; by default what a good server says of {@linkcode LEASED}, for an hour. */
export interface ReplyFields {
  readonly type: number;
  readonly xid: number;
  readonly op?: number;
  readonly mac?: string;
  readonly yours?: string;
  readonly server?: string | null;
  readonly mask?: string | null;
  readonly lease?: number | null;
  readonly t1?: number;
  readonly t2?: number;
  /** More options. */
  readonly options?: readonly (readonly [code: number, value: ArrayLike<number>])[];
  readonly sourcePort?: number;
  readonly to?: string;
  readonly from?: string;
}

/** An address' four bytes. */
export function bytesOf(...addresses: readonly string[]): number[] {
  return addresses.flatMap((text) => {
    const bytes = new Uint8Array(4);
    Address.parse(text).writeV4(bytes, 0);
    return [...bytes];
  });
}

/** A reply's bytes. */
export function replyBytes(fields: ReplyFields): Uint8Array {
  const bytes = new Uint8Array(1_400);
  const { server = SERVER, mask = "255.255.255.0", lease = 3_600, t1, t2 } = fields;
  const mac = Mac.parse(fields.mac ?? OWN_MAC);
  let at = dhcp.emit(bytes, 0, fields.op ?? dhcp.Op.Reply, fields.xid, 0, false, mac);
  if (fields.type !== dhcp.MessageType.Nak) bytes.set(bytesOf(fields.yours ?? LEASED), dhcp.YOUR_ADDRESS);
  at = dhcp.put8Option(bytes, at, Option.MessageType, fields.type);
  if (server !== null) at = dhcp.putOption(bytes, at, Option.ServerIdentifier, bytesOf(server));
  if (fields.type !== dhcp.MessageType.Nak) {
    if (mask !== null) at = dhcp.putOption(bytes, at, Option.SubnetMask, bytesOf(mask));
    if (lease !== null) at = dhcp.put32Option(bytes, at, Option.LeaseTime, lease);
    if (t1 !== undefined) at = dhcp.put32Option(bytes, at, Option.RenewalTime, t1);
    if (t2 !== undefined) at = dhcp.put32Option(bytes, at, Option.RebindingTime, t2);
  }
  for (const [code, value] of fields.options ?? []) at = dhcp.putOption(bytes, at, code, value);
  return bytes.slice(0, dhcp.putEnd(bytes, 0, at));
}

/** A datagram in its frame. */
export function datagram(
  payload: Uint8Array,
  from: string,
  sourcePort: number,
  to: string,
  port: number,
  link: { readonly destination?: string; readonly source?: string } = {},
): Uint8Array {
  const bytes = new Uint8Array(udpWire.HEADER_LENGTH + payload.length);
  udpWire.emit(bytes, 0, sourcePort, port, bytes.length);
  bytes.set(payload, udpWire.HEADER_LENGTH);
  udpWire.fillChecksum(bytes, 0, Address.parse(from), Address.parse(to));
  return ethernet(ipv4(bytes, { source: from, destination: to, protocol: Protocol.Udp }), link);
}

/** A reply in its frame: to all, as a client without an address asks for. */
export function replyFrame(fields: ReplyFields): Uint8Array {
  const { from = fields.server ?? SERVER, to = "255.255.255.255", sourcePort = dhcp.SERVER_PORT } = fields;
  return datagram(replyBytes(fields), from, sourcePort, to, dhcp.CLIENT_PORT, {
    destination: to === "255.255.255.255" ? BROADCAST_MAC : OWN_MAC,
    source: PEER_MAC,
  });
}

/** A host without an address and the client that is to get it one. */
export class DhcpWorld {
  readonly host: Host;
  readonly client: DhcpClient;
  #now: Instant = 0;

  constructor(options: Partial<DhcpClientOptions> = {}, seed = 1) {
    const udp = new Udp();
    const random = new Random(seed);
    let client: DhcpClient | undefined;
    this.host = host({
      ip: { addresses: [] },
      knowsPeer: true,
      guard: false,
      receive: () => protocols({ udp: udp.recv() }),
      send: ({ ip, eth }) => {
        client = new DhcpClient({ ip, udp, mac: eth.mac, random: () => random.next(), ...options });
        return udp.send(client);
      },
    });
    ok(client !== undefined);
    this.client = client;
  }

  /** The time. */
  get now(): Instant {
    return this.#now;
  }

  /** Goes to a time and answers with what the client says at it. */
  at(now: Instant): DhcpView[] {
    this.#now = now;
    return this.host.at(now).transmit().flatMap((frame) => readDhcp(frame) ?? []);
  }

  /** Goes on to when the client next wants a turn; undefined: it waits for nothing. */
  next(): DhcpView[] | undefined {
    const { deadline } = this.host;
    return deadline === NEVER ? undefined : this.at(Math.max(this.#now, deadline));
  }

  /** Goes on until the client says something. */
  message(): DhcpView {
    for (let turns = 0; turns < 200; turns++) {
      const [first] = this.next() ?? [];
      if (first !== undefined) return first;
    }
    throw new Error(`the client says nothing in state ${this.client.state}`);
  }

  /** A reply arrives. */
  reply(fields: ReplyFields): void {
    this.host.deliver(replyFrame(fields));
  }

  /** Leads it to a lease. */
  bind(fields: Partial<ReplyFields> = {}): void {
    const discover = this.message();
    equal(discover.type, dhcp.MessageType.Discover);
    this.reply({ xid: discover.xid, ...fields, type: dhcp.MessageType.Offer });
    const request = this.message();
    equal(request.type, dhcp.MessageType.Request);
    this.reply({ xid: request.xid, ...fields, type: dhcp.MessageType.Ack });
  }

  /** What has happened to the lease since it was last asked, in words. */
  events(): string[] {
    const all: string[] = [];
    for (let event = this.client.nextEvent(); event !== undefined; event = this.client.nextEvent()) {
      if (event.kind === "lost") all.push(`lost ${event.address}: ${event.reason}`);
      else if (event.kind === "silence") all.push(`silence ${event.tries}`);
      else if (event.kind === "declined") all.push(`declined ${event.address}`);
      else all.push(`${event.kind} ${event.lease.address}/${event.lease.prefix}`);
    }
    return all;
  }

  /** The own addresses and the routes. */
  tables(): string[] {
    const { addresses, routes } = this.host.ip;
    return [
      ...[...addresses].map(String),
      ...[...routes].map(({ network, gateway }) => `${network} > ${gateway}`),
    ];
  }
}

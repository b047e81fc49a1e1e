/**
 * Packets on their way out in fragments (RFC 791 3.2, RFC 8200 4.5), cut one after the other as buffers come.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { LinkInit, LinkRaw } from "../link.ts";
import type { NicInfo } from "../slot.ts";
import { copyBytes } from "../store/copy.ts";
import { Address } from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as extension from "../wire/ipv6-extension.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Mac } from "../wire/mac.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Ip } from "./endpoint.ts";
import type { LargeFrame } from "./large.ts";
import { FragmentIds } from "./fragment-ids.ts";

/** A packet in line. */
class Waiting implements LinkInit {
  readonly destination = new Mac();
  etherType = 0;
  /** The length of the frame that is being built, as the link wants to know it. */
  length = 0;
  large: LargeFrame | undefined;
  /** The longest packet that the path takes. */
  mtu = 0;
  identification = 0;
  /** What has left of the payload. */
  sent = 0;
}

/** A line of packets, first come first cut. It holds as many as there are large frames. */
export class Fragments {
  readonly #ip: Ip;
  readonly #ids: FragmentIds;
  readonly #line: readonly Waiting[];
  readonly #address = new Address();
  readonly #source = new Address();
  #first = 0;
  #count = 0;

  /** An empty line. The seed keeps strangers from guessing identifications (RFC 7739). */
  constructor(ip: Ip, capacity: number, seed: readonly [number, number]) {
    this.#ip = ip;
    this.#ids = new FragmentIds(seed);
    this.#line = Array.from({ length: capacity }, () => new Waiting());
  }

  /** Whether no packet waits. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** An identification for a packet of IPv4 that routers may divide. */
  nextId(source: Address, destination: Address): number {
    return this.#ids.next(source, destination) & 0xffff;
  }

  /** Puts the packet in `large` in line, whose header is complete but for what fragments change. */
  push(large: LargeFrame, destination: Mac, etherType: number, info: NicInfo): LayerError {
    if (this.#count === this.#line.length) return LayerError.Exhausted;
    const { bytes, start: at } = large;
    const isV4 = etherType === EtherType.Ipv4;
    const to = this.#address;
    const from = this.#source;
    if (isV4) {
      to.readV4(bytes, at + ipv4.DESTINATION);
      from.readV4(bytes, at + ipv4.SOURCE);
    } else {
      to.readV6(bytes, at + ipv6.DESTINATION);
      from.readV6(bytes, at + ipv6.SOURCE);
    }
    const mtu = Math.min(info.mtu, this.#ip.pathMtus.get(to, info.timestamp));
    // RFC 8200 4.5: a hop-by-hop header would have to go in front of each fragment. Nobody sends such packets that long.
    if (!isV4 && large.length > mtu && ipv6.nextHeader(bytes, at) === Protocol.HopByHop) {
      return LayerError.BadSize;
    }
    const waiting = this.#line[(this.#first + this.#count) % this.#line.length]!;
    waiting.large = large;
    waiting.destination.copy(destination);
    waiting.etherType = etherType;
    waiting.mtu = mtu;
    waiting.sent = 0;
    waiting.identification = large.length > mtu ? this.#ids.next(from, to) : 0;
    this.#count++;
    return LayerError.None;
  }

  /** Fills an empty buffer with the next fragment and queues it; false: there is none, or the link refused. */
  send(link: LinkRaw): boolean {
    const waiting = this.#line[this.#first]!;
    const { large } = waiting;
    if (this.#count === 0 || large === undefined) return false;
    const isV4 = waiting.etherType === EtherType.Ipv4;
    const isWhole = large.length <= waiting.mtu;
    const error = isWhole
      ? sendWhole(link, waiting, large)
      : isV4
      ? cutV4(link, waiting, large)
      : cutV6(link, waiting, large);
    const header = isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH;
    // What the link refuses once it refuses again: the rest would be of no use without it.
    if (error !== LayerError.None || waiting.sent >= large.length - header) this.#drop(waiting, large);
    const { counters } = this.#ip;
    if (error !== LayerError.None) {
      counters.notSent++;
      return false;
    }
    counters.sent++;
    if (!isWhole) counters.fragmentsSent++;
    return true;
  }

  #drop(waiting: Waiting, large: LargeFrame): void {
    waiting.large = undefined;
    this.#ip.large.give(large);
    this.#first = (this.#first + 1) % this.#line.length;
    this.#count--;
  }
}

/** Sends a packet that has become short enough for one frame. */
function sendWhole(link: LinkRaw, waiting: Waiting, large: LargeFrame): LayerError {
  waiting.length = large.length;
  waiting.sent = large.length;
  const out = link.prepare(waiting);
  if (typeof out === "number") return out;
  copyBytes(out.frame.bytes, out.payloadAt, large.bytes, large.start, large.length);
  return out.send();
}

/** RFC 791 3.2 */
function cutV4(link: LinkRaw, waiting: Waiting, large: LargeFrame): LayerError {
  const { sent } = waiting;
  const rest = large.length - ipv4.HEADER_LENGTH - sent;
  const room = waiting.mtu - ipv4.HEADER_LENGTH;
  const isLast = rest <= room;
  const length = isLast ? rest : room & ~7;
  waiting.sent += length;
  waiting.length = ipv4.HEADER_LENGTH + length;
  const out = link.prepare(waiting);
  if (typeof out === "number") return out;
  const { bytes } = out.frame;
  const at = out.payloadAt;
  copyBytes(bytes, at, large.bytes, large.start, ipv4.HEADER_LENGTH);
  copyBytes(
    bytes,
    at + ipv4.HEADER_LENGTH,
    large.bytes,
    large.start + ipv4.HEADER_LENGTH + sent,
    length,
  );
  ipv4.setTotalLength(bytes, at, waiting.length);
  ipv4.setIdentification(bytes, at, waiting.identification);
  ipv4.setFragment(bytes, at, isLast ? 0 : ipv4.Flag.MoreFragments, sent);
  if (out.info.capabilities.ipv4.fill) ipv4.fillChecksum(bytes, at);
  return out.send();
}

/** RFC 8200 4.5. What we send has no extension headers, so that all behind the header is to be cut. */
function cutV6(link: LinkRaw, waiting: Waiting, large: LargeFrame): LayerError {
  const { sent } = waiting;
  const rest = large.length - ipv6.HEADER_LENGTH - sent;
  const room = waiting.mtu - ipv6.HEADER_LENGTH - extension.FRAGMENT_LENGTH;
  const isLast = rest <= room;
  const length = isLast ? rest : room & ~7;
  waiting.sent += length;
  waiting.length = ipv6.HEADER_LENGTH + extension.FRAGMENT_LENGTH + length;
  const out = link.prepare(waiting);
  if (typeof out === "number") return out;
  const { bytes } = out.frame;
  const at = out.payloadAt;
  const header = at + ipv6.HEADER_LENGTH;
  copyBytes(bytes, at, large.bytes, large.start, ipv6.HEADER_LENGTH);
  const protocol = ipv6.nextHeader(bytes, at);
  extension.emitFragment(bytes, header, protocol, sent, isLast, waiting.identification);
  ipv6.setNextHeader(bytes, at, Protocol.Fragment);
  ipv6.setPayloadLength(bytes, at, extension.FRAGMENT_LENGTH + length);
  copyBytes(
    bytes,
    header + extension.FRAGMENT_LENGTH,
    large.bytes,
    large.start + ipv6.HEADER_LENGTH + sent,
    length,
  );
  return out.send();
}

/**
 * Cutting frames that are many segments in one: what a NIC with segmentation does on its way out, and the reverse of
 * what one with large receive has done. For whoever needs the single packets of the wire.
 *
 * @module
 */
import { type Frame, Segmentation } from "../stack/frame.ts";
import { completeChecksum } from "../stack/offload.ts";
import { Medium } from "../stack/slot.ts";
import { copyBytes } from "../stack/store/copy.ts";
import type { ArenaProgram } from "../stack/wire/arena-program.ts";
import { programOf } from "../stack/wire/arena.ts";
import { put16 } from "../stack/wire/bytes.ts";
import { fold, sum } from "../stack/wire/checksum.ts";
import { WireError } from "../stack/wire/error.ts";
import * as ethernet from "../stack/wire/ethernet.ts";
import * as ipv4 from "../stack/wire/ipv4.ts";
import * as ipv6 from "../stack/wire/ipv6.ts";
import { Protocol } from "../stack/wire/protocol.ts";
import * as tcp from "../stack/wire/tcp.ts";
import * as udp from "../stack/wire/udp.ts";

const { Flag } = tcp;

/** IEEE 802.1Q: a tag stands between the addresses and the type. */
const TAG_LENGTH = 4;

/** The length field of UDP. */
const UDP_LENGTH = 4;

/** Cuts one frame after the other. */
export class Segmenter {
  #frame!: Frame;
  #program: ArenaProgram | undefined;
  /** Where the IP header lies, the transport's, and the payload. */
  #ipAt = 0;
  #transportAt = 0;
  #payloadAt = 0;
  #isV4 = false;
  #isTcp = false;
  /** Where the next segment's payload begins. */
  #at = 0;
  #index = 0;
  #flags = 0;

  /**
   * Begins with `frame`, of a NIC with such frames, whose `segmentation` says what it is. It must stay as it is until all segments are made. False:
   * its headers are not what it says, so that nothing can be made of it.
   */
  begin(frame: Frame, medium: Medium): boolean {
    const { bytes, start, end, segmentation, checksumAt } = frame;
    if (frame !== this.#frame) this.#program = programOf(bytes);
    this.#frame = frame;
    this.#at = end;
    if (segmentation === Segmentation.None || frame.segmentSize < 1) return false;
    const ip = start + (medium === Medium.Ip ? 0 : linkLength(bytes, start));
    const header = networkHeader(bytes, ip, end, checksumAt, segmentation);
    if (header < 0) return false;
    this.#isV4 = header === ipv4.HEADER_LENGTH;
    this.#isTcp = segmentation !== Segmentation.Udp;
    const error = this.#isTcp ? tcp.check(bytes, checksumAt, end) : udp.check(bytes, checksumAt, end);
    if (error !== WireError.None) return false;
    this.#ipAt = ip;
    this.#transportAt = checksumAt;
    this.#payloadAt = checksumAt + (this.#isTcp ? tcp.headerLength(bytes, checksumAt) : udp.HEADER_LENGTH);
    this.#at = this.#payloadAt;
    this.#index = 0;
    this.#flags = this.#isTcp ? tcp.flags(bytes, checksumAt) : 0;
    return this.#payloadAt < end;
  }

  /** How much is left, in bytes of payload. */
  get left(): number {
    return this.#frame.end - this.#at;
  }

  /**
   * Makes the next segment in `into`, a frame of another slot: a packet with headers of its own, whose checksum is
   * complete if `isWhole`, else partial. False: there is none left, or `into` is too short for it.
   */
  next(into: Frame, isWhole: boolean): boolean {
    const { start, end, segmentSize } = this.#frame;
    const size = Math.min(segmentSize, end - this.#at);
    const headers = this.#payloadAt - start;
    if (size <= 0 || !into.resize(headers + size)) return false;
    this.#copy(into, into.start, start, headers);
    this.#copy(into, into.start + headers, this.#at, size);
    const offset = this.#at - this.#payloadAt;
    this.#at += size;
    this.#fix(into, into.start - start, offset);
    this.#index++;
    if (isWhole) completeChecksum(into);
    return true;
  }

  #copy(into: Frame, to: number, from: number, length: number): void {
    const { bytes } = this.#frame;
    if (into.bytes === bytes && this.#program !== undefined) this.#program.copy(to, from, length);
    else copyBytes(into.bytes, to, bytes, from, length);
  }

  /** What differs from segment to segment; `shift` is from this frame's offsets to those in `into`. */
  #fix(into: Frame, shift: number, offset: number): void {
    const { bytes, end } = into;
    const ip = this.#ipAt + shift;
    const at = this.#transportAt + shift;
    let addresses: number;
    if (this.#isV4) {
      ipv4.setTotalLength(bytes, ip, end - ip);
      ipv4.setIdentification(bytes, ip, ipv4.identification(bytes, ip) + this.#index);
      ipv4.fillChecksum(bytes, ip);
      addresses = sum(bytes, ip + ipv4.SOURCE, ip + ipv4.HEADER_LENGTH, 0);
    } else {
      ipv6.setPayloadLength(bytes, ip, end - ip - ipv6.HEADER_LENGTH);
      addresses = sum(bytes, ip + ipv6.SOURCE, ip + ipv6.HEADER_LENGTH, 0);
    }
    if (this.#isTcp) {
      tcp.setSequence(bytes, at, tcp.sequence(bytes, at) + offset);
      tcp.setFlags(bytes, at, this.#flagsOf(offset));
    } else put16(bytes, at + UDP_LENGTH, end - at);
    const field = this.#isTcp ? tcp.CHECKSUM : udp.CHECKSUM;
    const protocol = this.#isTcp ? Protocol.Tcp : Protocol.Udp;
    put16(bytes, at + field, fold(addresses + protocol + end - at));
    into.leaveChecksum(at, field);
  }

  /** RFC 3168 6.1.2: CWR is the first one's; what ends or pushes the data is the last one's. */
  #flagsOf(offset: number): number {
    let flags = this.#flags;
    if (offset > 0) flags &= ~Flag.Cwr;
    if (this.left > 0) flags &= ~(Flag.Fin | Flag.Psh);
    return flags;
  }
}

function linkLength(bytes: Uint8Array, start: number): number {
  const isTagged = ethernet.etherType(bytes, start) === ethernet.EtherType.Vlan;
  return ethernet.HEADER_LENGTH + (isTagged ? TAG_LENGTH : 0);
}

/** The length of the fixed IP header at `ip`, if the packet is whole and leads to a transport header at `at`; else -1. */
function networkHeader(bytes: Uint8Array, ip: number, end: number, at: number, what: Segmentation): number {
  const isV4 = what === Segmentation.TcpV4 || (what === Segmentation.Udp && ipv4.version(bytes, ip) === 4);
  const protocol = what === Segmentation.Udp ? Protocol.Udp : Protocol.Tcp;
  if (!isV4) {
    const behind = ip + ipv6.HEADER_LENGTH;
    // Extension headers may stand between; they are everybody's.
    const leads = behind < at || (behind === at && ipv6.nextHeader(bytes, ip) === protocol);
    if (ipv6.check(bytes, ip, end) !== WireError.None || !leads) return -1;
    return behind + ipv6.payloadLength(bytes, ip) === end ? ipv6.HEADER_LENGTH : -1;
  }
  const isRight = ipv4.check(bytes, ip, end) === WireError.None && ip + ipv4.headerLength(bytes, ip) === at &&
    ipv4.protocol(bytes, ip) === protocol && !ipv4.isFragment(bytes, ip) &&
    ipv4.totalLength(bytes, ip) === end - ip;
  return isRight ? ipv4.HEADER_LENGTH : -1;
}

/**
 * Datagrams of one flow in a row, made one frame that the link cuts again (UDP segmentation offload): a program's
 * answers to a burst then cross into the kernel once, and not each by itself.
 *
 * @module
 */
import { Checksum, type Frame, Segmentation } from "../stack/frame.ts";
import { copyBytes } from "../stack/store/copy.ts";
import { get16, get32, put16 } from "../stack/wire/bytes.ts";
import { fold } from "../stack/wire/checksum.ts";
import * as ipv4 from "../stack/wire/ipv4.ts";
import * as ipv6 from "../stack/wire/ipv6.ts";
import * as udp from "../stack/wire/udp.ts";

/** Linux takes no more segments of UDP in one (UDP_MAX_SEGMENTS; 128 in later versions). */
const MOST = 64;

/** The longest IP packet. */
const LONGEST = 0xffff;

/** Where UDP's length field lies. */
const UDP_LENGTH = 4;

/**
 * Gathers datagrams behind the first of them, in the first one's buffer. They must follow one another as they would have
 * left; all are as long as the first, but for the last, which may be shorter.
 */
export class DatagramTrain {
  #frame!: Frame;
  /** Where the first one's IP header lies, if a train is open; the headers' length, the link's included. */
  #ipAt = -1;
  #headers = 0;
  #isV4 = false;
  /** How much data each has. */
  #size = 0;
  /** How many there are; a shorter one ends the train. */
  #count = 0;
  #hasEnded = false;

  /** How many datagrams the open train has. */
  get count(): number {
    return this.#count;
  }

  /** Whether a frame can be the first of a train, which is then open: a single datagram whose checksum is partial. */
  begin(frame: Frame): boolean {
    const { checksum, checksumField, checksumAt, segmentation, bytes, start, end } = frame;
    if (checksum !== Checksum.Partial || checksumField !== udp.CHECKSUM) return false;
    const size = end - checksumAt - udp.HEADER_LENGTH;
    if (segmentation !== Segmentation.None || size <= 0) return false;
    const link = checksumAt - start;
    const isV4 = isLink(link - ipv4.HEADER_LENGTH) && bytes[checksumAt - ipv4.HEADER_LENGTH] === 0x45;
    const isV6 = isLink(link - ipv6.HEADER_LENGTH) && bytes[checksumAt - ipv6.HEADER_LENGTH]! >> 4 === 6;
    if (isV4 === isV6) return false;
    this.#frame = frame;
    this.#ipAt = checksumAt - (isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH);
    this.#isV4 = isV4;
    this.#headers = checksumAt + udp.HEADER_LENGTH - start;
    this.#size = size;
    this.#count = 1;
    this.#hasEnded = false;
    return true;
  }

  /** Takes the frame along, if it follows in every respect; its buffer is then free. */
  append(next: Frame): boolean {
    if (this.#hasEnded || this.#count === MOST) return false;
    const size = next.end - next.start - this.#headers;
    const { bytes, end } = this.#frame;
    if (
      size <= 0 || size > this.#size || end + size - this.#ipAt > LONGEST || end + size > this.#frame.limit
    ) {
      return false;
    }
    if (!this.#follows(next)) return false;
    copyBytes(bytes, end, next.bytes, next.start + this.#headers, size);
    this.#frame.end = end + size;
    this.#count++;
    this.#hasEnded = size < this.#size;
    return true;
  }

  /** Closes the train: the first one's headers are those of all. */
  finish(): void {
    if (this.#count < 2) return;
    const frame = this.#frame;
    const { bytes, end, checksumAt: at } = frame;
    const length = end - at;
    // The checksum is the pseudo-header's sum, in which the length is a term.
    const sum = get16(bytes, at + udp.CHECKSUM) + length - get16(bytes, at + UDP_LENGTH);
    put16(bytes, at + udp.CHECKSUM, fold(sum));
    put16(bytes, at + UDP_LENGTH, length);
    if (this.#isV4) {
      ipv4.setTotalLength(bytes, this.#ipAt, end - this.#ipAt);
      ipv4.fillChecksum(bytes, this.#ipAt);
    } else ipv6.setPayloadLength(bytes, this.#ipAt, length);
    frame.segmentation = Segmentation.Udp;
    frame.segmentSize = this.#size;
  }

  /** Whether everything in the headers is the same but lengths, identification and checksums. */
  #follows(next: Frame): boolean {
    const first = this.#frame;
    const shift = next.start - first.start;
    const isSame = next.checksum === Checksum.Partial && next.checksumField === udp.CHECKSUM &&
      next.checksumAt === first.checksumAt + shift && next.segmentation === Segmentation.None;
    if (!isSame) return false;
    const a = first.bytes, b = next.bytes;
    const at = first.checksumAt, ip = this.#ipAt;
    // The ports and what is before them, from the end on: that is where flows differ.
    if (get32(a, at) !== get32(b, at + shift)) return false;
    if (this.#isV4) {
      if (
        get32(a, ip + 16) !== get32(b, ip + shift + 16) || get32(a, ip + 12) !== get32(b, ip + shift + 12)
      ) return false;
      if (get32(a, ip + 6) !== get32(b, ip + shift + 6) || get16(a, ip) !== get16(b, ip + shift)) {
        return false;
      }
    } else {
      for (let offset = 8; offset < ipv6.HEADER_LENGTH; offset += 4) {
        if (get32(a, ip + offset) !== get32(b, ip + shift + offset)) return false;
      }
      if (get32(a, ip) !== get32(b, ip + shift) || get16(a, ip + 6) !== get16(b, ip + shift + 6)) {
        return false;
      }
    }
    for (let index = first.start; index < ip; index++) {
      if (a[index] !== b[index + shift]) return false;
    }
    return true;
  }
}

/** Whether a link's header may be so long: none, Ethernet's, or that with a tag (IEEE 802.1Q). */
function isLink(length: number): boolean {
  return length === 0 || length === 14 || length === 18;
}

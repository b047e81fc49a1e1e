/**
 * A tunnel's link as the layers inside of it see it.
 *
 * @module
 */
import { ALL_MANUAL, type Capabilities, Medium, type NicInfo } from "../slot.ts";
import { type Instant, seconds } from "../store/time.ts";

/** How long a narrow path is believed in without news (RFC 1191 6.3, RFC 8201 5.3: ten minutes). */
const NARROW_TIME: Instant = seconds(600);

/** Inside a tunnel nothing is done by the NIC, whose word is about the outer packet. */
export class TunnelInfo implements NicInfo {
  // Fields, and not looked up when asked for: a number that a getter hands on would be an object to the engine.
  timestamp: Instant = 0;
  mtu: number;
  readonly capabilities: Capabilities = ALL_MANUAL;
  readonly medium: Medium = Medium.Ip;
  readonly isLoopback: boolean = false;
  readonly #overhead: number;
  #narrowMtu = 0;
  #isNarrow = false;
  #narrowUntil: Instant = 0;

  /** Of a tunnel that puts so many bytes before each packet. */
  constructor(overhead: number) {
    this.#overhead = overhead;
    this.mtu = 1_500 - overhead;
  }

  /** The present packet is on this link, which leaves so much, or the path, as far as is known (RFC 2003 5.1). */
  enter(outer: NicInfo): void {
    this.timestamp = outer.timestamp;
    this.mtu = Math.max(0, outer.mtu - this.#overhead);
    if (this.#isNarrow) this.#keepNarrow();
  }

  /** The path between the ends takes packets of `mtu` bytes. */
  narrow(mtu: number): void {
    this.#narrowMtu = mtu - this.#overhead;
    this.#isNarrow = true;
    this.#narrowUntil = this.timestamp + NARROW_TIME;
    this.#keepNarrow();
  }

  #keepNarrow(): void {
    if (this.timestamp >= this.#narrowUntil) this.#isNarrow = false;
    else this.mtu = Math.min(this.mtu, this.#narrowMtu);
  }
}

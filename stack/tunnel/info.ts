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
  readonly capabilities: Capabilities = ALL_MANUAL;
  readonly medium: Medium = Medium.Ip;
  readonly isLoopback: boolean = false;
  readonly #overhead: number;
  #outer: NicInfo | undefined;
  #narrowMtu = 0;
  #narrowUntil: Instant = 0;

  /** Of a tunnel that puts so many bytes before each packet. */
  constructor(overhead: number) {
    this.#overhead = overhead;
  }

  get timestamp(): Instant {
    return this.#outer?.timestamp ?? 0;
  }

  /** What the outer link leaves, or the path as far as is known (RFC 2003 5.1). */
  get mtu(): number {
    const mtu = Math.max(0, (this.#outer?.mtu ?? 1_500) - this.#overhead);
    return this.timestamp < this.#narrowUntil ? Math.min(mtu, this.#narrowMtu) : mtu;
  }

  /** The present packet is on this link. */
  enter(outer: NicInfo): void {
    this.#outer = outer;
  }

  /** The path between the ends takes packets of `mtu` bytes. */
  narrow(mtu: number): void {
    this.#narrowMtu = mtu - this.#overhead;
    this.#narrowUntil = this.timestamp + NARROW_TIME;
  }
}

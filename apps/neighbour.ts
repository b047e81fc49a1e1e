/**
 * The host on the other end of a wire in memory: it answers ARP and ping, and has a web page or pings the
 * host it is there for.
 */
import { type Address, type Cidr, type LinkEnd, Ping, seconds } from "../mod.ts";
import { Appliance, type Tree } from "./appliance.ts";
import { macFor } from "./mac-for.ts";
import { http } from "./services/http.ts";

/** A neighbour. */
export class Neighbour {
  readonly #appliance: Appliance;
  readonly #tree: Tree;

  /** With `pings`, it sends an echo request there once a second. */
  constructor(end: LinkEnd, addresses: readonly Cidr[], pings?: Address) {
    this.#appliance = new Appliance({ nic: end, mac: macFor("the neighbour"), addresses });
    if (pings === undefined) http.start(this.#appliance, http.port);
    this.#tree = pings === undefined ? this.#appliance.answering() : this.#appliance.pinging(
      new Ping({ destination: pings, identifier: 1, interval: seconds(1), onResult: () => {} }),
    );
  }

  /** Runs until the signal aborts, then leaves the wire. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#appliance.run(signal, this.#tree);
    } finally {
      this.#appliance.nic.close();
    }
  }
}

/**
 * The host on the other end of a wire in memory: it answers ARP and ping, and has a web page and a server for iperf3,
 * or pings the host it is there for.
 */
import { type Address, type Cidr, type LinkEnd, Ping, seconds } from "../mod.ts";
import { Appliance, type Tree } from "./appliance.ts";
import { macFor } from "./mac-for.ts";
import { partyOf } from "./iperf3/party.ts";
import { PORT } from "./iperf3/protocol.ts";
import { Server } from "./iperf3/server.ts";
import { http } from "./services/http.ts";

/** A neighbour. */
export class Neighbour {
  readonly #appliance: Appliance;
  readonly #tree: Tree;
  readonly #iperf3: Server | undefined;

  /** With `pings`, it sends an echo request there once a second. */
  constructor(end: LinkEnd, addresses: readonly Cidr[], pings?: Address) {
    this.#appliance = new Appliance({ nic: end, mac: macFor("the neighbour"), addresses });
    if (pings === undefined) {
      http.start(this.#appliance, http.port);
      this.#iperf3 = new Server(partyOf(this.#appliance), {
        port: PORT,
        family: undefined,
        oneOff: false,
        interval: 0,
      });
      this.#appliance.tasks.push(this.#iperf3);
    }
    this.#tree = pings === undefined ? this.#appliance.answering() : this.#appliance.pinging(
      new Ping({ destination: pings, identifier: 1, interval: seconds(1), onResult: () => {} }),
    );
  }

  /** Runs until the signal aborts, then leaves the wire. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      const { nic } = this.#appliance;
      await this.#appliance.run(signal, this.#tree, () => this.#iperf3?.tick(nic.now()));
    } finally {
      this.#appliance.nic.close();
    }
  }
}

/**
 * How a stack comes by its address: from a DHCP server, if it is to.
 *
 * @module
 */
import { DhcpClient } from "../stack/dhcp/client.ts";
import type { Lease } from "../stack/dhcp/lease.ts";
import { DhcpState } from "../stack/dhcp/state.ts";
import type { Ip } from "../stack/ip/endpoint.ts";
import type { Udp } from "../stack/udp/endpoint.ts";
import type { Mac } from "../stack/wire/mac.ts";
import { random } from "./random.ts";

/** Whose address it is to be. */
export interface ConfigurationOptions {
  readonly ip: Ip;
  readonly udp: Udp;
  readonly mac: Mac;
  readonly hostname: string | undefined;
}

/** A DHCP client at work. */
export class Configuration {
  /** What is to be asked for datagrams. */
  readonly client: DhcpClient;
  /** Resolves when there is a lease for the first time; rejects when there will be none. */
  readonly ready: Promise<void>;
  /** Called with each lease, new or renewed, and with undefined when it is lost. */
  onChange: (lease: Lease | undefined) => void = () => {};
  readonly #resolve: () => void;
  readonly #reject: (reason: unknown) => void;

  /** A client that begins when it is first asked. */
  constructor({ ip, udp, mac, hostname }: ConfigurationOptions) {
    this.client = new DhcpClient({ ip, udp, mac, random, ...(hostname === undefined ? {} : { hostname }) });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    promise.catch(() => {});
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Whether the server is still to be told that the lease is given back. */
  get isReleasing(): boolean {
    return this.client.state === DhcpState.Releasing;
  }

  /** Tells what has happened; between bursts. */
  tell(): void {
    for (let event = this.client.nextEvent(); event !== undefined; event = this.client.nextEvent()) {
      if (event.kind === "bound" || event.kind === "renewed") {
        this.onChange(event.lease);
        this.#resolve();
      } else if (event.kind === "lost") this.onChange(undefined);
    }
  }

  /** There will be no lease any more. */
  end(reason: unknown): void {
    this.#reject(reason);
  }
}

/**
 * A router between links (RFC 1812, RFC 8200): packets for other hosts are passed on in the buffers that they came in.
 *
 * @module
 */
import type { Ip } from "../ip/endpoint.ts";
import type { LinkOutlet } from "../link.ts";
import { ForwardCounters } from "./counters.ts";
import { ForwardPort } from "./port.ts";

/** One link of a router. */
export interface PortOptions {
  /** The host on that link. It has the router's addresses there, and those of its other links as single hosts. */
  readonly ip: Ip;
  /** The way out: `eth.outlet(outlet(nic))`. */
  readonly link: LinkOutlet;
  /** Called when the link's sender has something to do that it does not expect: `() => nic.wake()`. */
  readonly wake: () => void;
}

/**
 * A router. Each of its links has an {@linkcode Ip} of its own, with its subnets, routes and neighbours; the router
 * chooses among them.
 *
 * ```ts
 * import { Eth, Forwarder, Ip, link, outlet } from "@ethox/ethox";
 *
 * const [nic] = link();
 * const eth = new Eth({ mac: "02:00:00:00:00:01" }), ip = new Ip({ addresses: ["10.0.0.1/24"] });
 * const router = new Forwarder();
 * const port = router.port({ ip, link: eth.outlet(outlet(nic)), wake: () => nic.wake() });
 * const receive = eth.recv(ip.recv(() => {}, port));
 * const send = eth.send(ip.layerInternal());
 * ```
 */
export class Forwarder {
  /** What was passed on and what was not. */
  readonly counters: ForwardCounters = new ForwardCounters();
  readonly #ports: ForwardPort[] = [];

  /** All links, in the order of their making. */
  get ports(): readonly ForwardPort[] {
    return this.#ports;
  }

  /**
   * Makes a link: the place in its receiving tree that takes packets for other hosts, `ip.recv(upper, port)`. Throws a
   * RangeError when its NIC leaves checksums open that another link's NIC does not complete.
   */
  port(options: PortOptions): ForwardPort {
    const { udp } = options.link.info.capabilities;
    for (const { link } of this.#ports) {
      if (link.info.capabilities.udp.verify !== udp.verify) {
        throw new RangeError("links that leave checksums open cannot be joined with links that do not");
      }
    }
    const port = new ForwardPort(this, options);
    this.#ports.push(port);
    return port;
  }
}

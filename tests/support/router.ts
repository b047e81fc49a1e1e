/**
 * A router with two links whose wires the test holds: 10.0.0.1/24 and 10.0.1.1/24, 2001:db8::1/64 and 2001:db8:1::1/64.
 *
 * @module
 */
import { External, type ExternalOptions } from "../../nic/external.ts";
import { outlet } from "../../nic/outlet.ts";
import { Eth } from "../../stack/eth/endpoint.ts";
import { Forwarder } from "../../stack/forward/endpoint.ts";
import { setGuard } from "../../stack/guard.ts";
import type { Receiver, TimedSender } from "../../stack/handler.ts";
import { Icmp } from "../../stack/icmp/endpoint.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import type { Slot } from "../../stack/slot.ts";
import type { Instant } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Mac } from "../../stack/wire/mac.ts";

/** The router's stations, and those of the hosts on its links. */
export const LEFT_MAC = "02:00:00:00:00:01", RIGHT_MAC = "02:00:00:00:01:01";
export const LEFT_HOST_MAC = "02:00:00:00:00:02", RIGHT_HOST_MAC = "02:00:00:00:01:02";
/** The hosts. */
export const LEFT_HOST = "10.0.0.2", RIGHT_HOST = "10.0.1.2";
export const LEFT_HOST6 = "2001:db8::2", RIGHT_HOST6 = "2001:db8:1::2";

/** One of its links. */
export interface Side {
  readonly nic: External;
  readonly eth: Eth;
  readonly ip: Ip;
  readonly receive: Receiver<Slot>;
  readonly send: TimedSender<Slot>;
}

/** How a {@linkcode TestRouter} differs. */
export interface RouterOptions {
  /** NICs of the two sides. */
  readonly left?: ExternalOptions;
  readonly right?: ExternalOptions;
  /** Whether the hosts' link addresses are known. Default true. */
  readonly knowsHosts?: boolean;
}

/** The router. */
export class TestRouter {
  readonly router = new Forwarder();
  readonly icmp = new Icmp();
  readonly left: Side;
  readonly right: Side;
  /** How often each side's sender was woken. */
  readonly woken: [number, number] = [0, 0];

  constructor(options: RouterOptions = {}) {
    setGuard(true);
    try {
      this.left = this.#side(0, LEFT_MAC, options.left);
      this.right = this.#side(1, RIGHT_MAC, options.right);
    } finally {
      setGuard(false);
    }
    if (options.knowsHosts ?? true) {
      const hosts = [[this.left, LEFT_HOST, LEFT_HOST6, LEFT_HOST_MAC], [
        this.right,
        RIGHT_HOST,
        RIGHT_HOST6,
        RIGHT_HOST_MAC,
      ]] as const;
      for (const [{ ip }, v4, v6, mac] of hosts) {
        for (const address of [v4, v6]) ip.neighbours.setStatic(Address.parse(address), Mac.parse(mac));
      }
    }
  }

  #side(index: 0 | 1, mac: string, options?: ExternalOptions): Side {
    const nic = new External(options), eth = new Eth({ mac });
    const own = (side: number, length: string, length6: string) =>
      side === 0
        ? [`10.0.0.1/${length}`, `2001:db8::1/${length6}`]
        : [`10.0.1.1/${length}`, `2001:db8:1::1/${length6}`];
    const ip = new Ip({ addresses: [...own(index, "24", "64"), ...own(1 - index, "32", "128")] });
    const port = this.router.port({ ip, link: eth.outlet(outlet(nic)), wake: () => this.woken[index]++ });
    const receive = eth.recv(ip.recv(this.icmp.answer(), port));
    return { nic, eth, ip, receive, send: eth.send(ip.layerInternal()) };
  }

  /** Sets the clock. */
  at(now: Instant): this {
    this.left.nic.setTime(now);
    this.right.nic.setTime(now);
    return this;
  }

  /** Lets frames arrive on one side, and answers with what leaves by each. */
  deliver(side: Side, ...frames: readonly Uint8Array[]): { left: Uint8Array[]; right: Uint8Array[] } {
    for (const frame of frames) {
      if (!side.nic.inject(frame)) throw new Error("the NIC has no room for the frame");
      side.nic.rx(1, side.receive);
    }
    return this.drain();
  }

  /** Asks both sides' senders, and answers with what leaves. */
  transmit(): { left: Uint8Array[]; right: Uint8Array[] } {
    for (const { nic, send } of [this.left, this.right]) nic.tx(64, send);
    return this.drain();
  }

  /** What has left. */
  drain(): { left: Uint8Array[]; right: Uint8Array[] } {
    const [left, right] = [this.left, this.right].map(({ nic }) => {
      const frames: Uint8Array[] = [];
      for (let frame = nic.take(); frame !== undefined; frame = nic.take()) frames.push(frame);
      return frames;
    });
    return { left: left!, right: right! };
  }
}

/**
 * How often a host asks for one neighbour.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { seconds } from "../../../stack/store/time.ts";
import * as arp from "../../../stack/wire/arp.ts";
import * as ethernet from "../../../stack/wire/ethernet.ts";

const LINK = ethernet.HEADER_LENGTH;

/** Watches a host's requests: at most one a second for one neighbour (RFC 1122 2.3.2.1), unless it was looked up anew. */
export class Asking {
  readonly #last = new Map<number, { readonly now: number; readonly lookups: number }>();

  /** Takes note of a frame that left; others than ARP requests do not matter. */
  note(frame: Uint8Array, now: number, lookups: number): void {
    if (ethernet.etherType(frame, 0) !== ethernet.EtherType.Arp) return;
    if (arp.operation(frame, LINK) !== arp.Operation.Request) return;
    const target = arp.targetAddress(frame, LINK);
    const last = this.#last.get(target);
    const isSoon = last !== undefined && now - last.now < seconds(1) && lookups === last.lookups;
    ok(!isSoon, "two requests for a neighbour within a second");
    this.#last.set(target, { now, lookups });
  }
}

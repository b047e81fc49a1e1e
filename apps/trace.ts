/** Shows every frame that passes a NIC. */
import { linkTypeOf, type Nic, observe } from "../mod.ts";
import type { Output } from "./cli/output.ts";
import { printPacket } from "./packet-printer.ts";

/** How frames are shown. */
export interface TraceOptions {
  /** Every field of every header below the line. */
  readonly details?: boolean | undefined;
  /** Called after each frame. */
  readonly shown?: () => void;
}

/** The NIC, with every frame shown as a line, or as a "packet" event. */
export function trace(nic: Nic, output: Output, options: TraceOptions = {}): Nic {
  const wallClock = Date.now() * 1_000 - nic.now();
  const details = options.details === true;
  const linkType = linkTypeOf(nic.info.medium);
  return observe(nic, (direction, { bytes, start, end }, at) => {
    const time = at + wallClock;
    printPacket(output, { time, direction, bytes, start, end, linkType }, details);
    options.shown?.();
  });
}

/** Shows every frame that passes a NIC. */
import { describe, type Direction, explain, type Frame, type Instant, type Nic, observe } from "../mod.ts";
import type { Output } from "./cli/output.ts";

/** Turns a NIC's clock into the time of day. */
export class WallClock {
  readonly #offset: number;

  constructor(nic: Nic) {
    this.#offset = Date.now() * 1_000 - nic.now();
  }

  /** Local time with microseconds, as tcpdump writes it. */
  local(at: Instant): string {
    const micros = at + this.#offset;
    const date = new Date(Math.floor(micros / 1_000));
    const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
      String(part).padStart(2, "0")
    );
    return `${parts.join(":")}.${this.#fraction(micros)}`;
  }

  /** RFC 3339 in UTC with microseconds. */
  utc(at: Instant): string {
    const micros = at + this.#offset;
    const seconds = new Date(Math.floor(micros / 1_000)).toISOString().slice(0, 19);
    return `${seconds}.${this.#fraction(micros)}Z`;
  }

  #fraction(micros: number): string {
    return String(micros % 1_000_000).padStart(6, "0");
  }
}

/** How frames are shown. */
export interface TraceOptions {
  /** Every field of every header below the line. */
  readonly details?: boolean | undefined;
  /** Called after each frame. */
  readonly shown?: () => void;
}

/** The NIC, with every frame shown as a line, or as a "packet" event. */
export function trace(nic: Nic, output: Output, options: TraceOptions = {}): Nic {
  const clock = new WallClock(nic);
  return observe(nic, (direction: Direction, frame: Frame, at: Instant) => {
    const { bytes, start, end } = frame;
    if (output.json) {
      output.event("packet", {
        time: clock.utc(at),
        direction,
        length: end - start,
        summary: describe(bytes, start, end),
        ...(options.details === true ? { fields: explain(bytes, start, end) } : {}),
      });
    } else {
      const mark = direction === "in" ? output.paint("cyan", "in ") : output.paint("green", "out");
      output.line(`${output.paint("dim", clock.local(at))} ${mark} ${describe(bytes, start, end)}`);
      if (options.details === true) {
        for (const line of explain(bytes, start, end)) output.line(`    ${line}`);
      }
    }
    options.shown?.();
  });
}

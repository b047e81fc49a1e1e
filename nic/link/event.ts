/**
 * What a spectator of a simulated network is shown.
 *
 * @module
 */
import type { Instant } from "../../stack/store/time.ts";
import { Fate } from "./fate.ts";
import type { PipeTrace } from "./pipe.ts";

/** What happened to a frame: one object for each direction of a link, overwritten by the next event there. */
export interface NetworkEvent {
  /** When. */
  readonly time: Instant;
  /** On whose link: the host's name. */
  readonly port: string;
  /** Whether the frame was on its way to that host, or from it. */
  readonly direction: "in" | "out";
  /** What happened. `Passed`: it has come out of the link, at the host or at the switch. */
  readonly fate: Fate;
  /** The frame is `bytes[start..end)`, only valid during the call. */
  readonly bytes: Uint8Array;
  /** Its first byte. */
  readonly start: number;
  /** One past its last byte. */
  readonly end: number;
}

class ReusedEvent implements NetworkEvent {
  time: Instant = 0;
  readonly port: string;
  readonly direction: "in" | "out";
  fate: Fate = Fate.Passed;
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  end = 0;

  constructor(port: string, direction: "in" | "out") {
    this.port = port;
    this.direction = direction;
  }
}

/** Shows a direction's events to a spectator, if there is one. */
export function tracer(
  port: string,
  direction: "in" | "out",
  show: ((event: NetworkEvent) => void) | undefined,
): PipeTrace | undefined {
  if (show === undefined) return undefined;
  const event = new ReusedEvent(port, direction);
  return (fate, bytes, start, end, now) => {
    event.fate = fate;
    event.bytes = bytes;
    event.start = start;
    event.end = end;
    event.time = now;
    show(event);
  };
}

/** Frames over a veth pair, for tests of the NICs at its ends. */
import type { Nic } from "../../nic/device.ts";
import { milliseconds } from "../../stack/store/time.ts";
import { data, ethernet } from "./frames.ts";

/** Two stations. */
export const MAC = "02:00:00:00:00:01", OTHER = "02:00:00:00:00:99";

/** A frame of no known protocol with so much payload. */
export function frame(destination: string, length: number = 60): Uint8Array {
  return ethernet(data(length), { destination, etherType: 0x88b5 });
}

/** Sends frames from a NIC, in one burst. */
export function send(nic: Nic, ...frames: readonly Uint8Array[]): void {
  const left = [...frames];
  nic.tx(frames.length, {
    send: (slot) => {
      const bytes = left.shift();
      if (bytes === undefined || !slot.frame.resize(bytes.length)) return;
      slot.frame.bytes.set(bytes, slot.frame.start);
      slot.queue();
    },
  });
}

/** What arrives until `count` frames have, or until nothing has come for a while, in milliseconds. */
export async function collect(nic: Nic, count: number, quiet: number = 10_000): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  let end = nic.now() + milliseconds(quiet);
  while (frames.length < count && nic.now() < end) {
    const before = frames.length;
    nic.rx(64, { receive: ({ frame }) => void frames.push(frame.bytes.slice(frame.start, frame.end)) });
    if (frames.length > before) end = nic.now() + milliseconds(quiet);
    else await nic.ready(Math.min(end, nic.now() + milliseconds(20)));
  }
  return frames;
}

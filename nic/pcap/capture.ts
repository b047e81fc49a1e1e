/**
 * A NIC whose traffic is written to a capture file.
 *
 * @module
 */
import type { Receiver } from "../../stack/handler.ts";
import type { Slot } from "../../stack/slot.ts";
import type { Nic } from "../device.ts";
import { observe } from "../observe.ts";
import { NicWrapper } from "../wrapper.ts";
import type { FrameWriter } from "./writer.ts";

/** How a {@linkcode capture} is made. */
export interface CaptureOptions {
  /**
   * Why the frame received last was dropped, for its comment; undefined: it was not. Asked after each received frame,
   * before the frame that answers it where there is one, and whenever the answer is about something else and not used.
   * {@linkcode DropWatch} is made for it.
   */
  readonly dropReason?: () => string | undefined;
}

/**
 * The same NIC, with each frame written: received ones as they came, others as they left. Closing it ends the file.
 * What the writer's sink throws passes through `rx`, `tx` and `close`.
 */
export function capture(nic: Nic, writer: FrameWriter, options: CaptureOptions = {}): Nic {
  return new Capture(nic, writer, options.dropReason ?? (() => undefined));
}

class Capture extends NicWrapper {
  readonly #writer: FrameWriter;
  readonly #dropReason: () => string | undefined;
  #receiver!: Receiver<Slot>;
  readonly #receiving: Receiver<Slot>;

  constructor(nic: Nic, writer: FrameWriter, dropReason: () => string | undefined) {
    super(observe(nic, (direction, frame, timestamp) => {
      // An error that answers a frame takes its place in the buffer; the frame was dropped nonetheless.
      if (direction === "out") writer.finish(dropReason());
      writer.begin(frame.bytes, frame.start, frame.end, timestamp, direction);
      if (direction === "out") writer.finish();
    }));
    this.#writer = writer;
    this.#dropReason = dropReason;
    this.#receiving = {
      receive: (slot) => {
        this.#receiver.receive(slot);
        writer.finish(dropReason());
      },
    };
  }

  override rx(max: number, receiver: Receiver<Slot>): number {
    this.#receiver = receiver;
    this.#dropReason();
    return super.rx(max, this.#receiving);
  }

  override close(): void {
    super.close();
    const { received, tooLong, missed } = this.counters;
    this.#writer.end({ received, dropped: tooLong + missed });
  }
}

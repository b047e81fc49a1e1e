/**
 * All queues of a TAP or TUN interface (IFF_MULTI_QUEUE; Documentation/networking/tuntap.rst of Linux): the kernel
 * hashes flows over them, and keeps one that was answered in the queue that the answer came by.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { attachTap, detachTap, type TapAttachment, type TapAttachOptions } from "./tun.ts";

/**
 * Attaches `count` times to the interface `name`, which must have been made with several queues, or is made. Each
 * queue gets the frames of its flows from now on. The caller closes the descriptors. Throws {@linkcode NicError}.
 */
export function attachTapQueues(
  name: string,
  count: number,
  options: Omit<TapAttachOptions, "multiQueue"> = {},
): readonly TapAttachment[] {
  const attached: TapAttachment[] = [];
  try {
    while (attached.length < count) {
      const attachment = attachTap(name, { ...options, multiQueue: true });
      attached.push(attachment);
      if (!attachment.shared) throw oneQueue(name, options);
    }
    return attached;
  } catch (error) {
    detachTap(name, options.mode ?? "tap", attached);
    throw error;
  }
}

function oneQueue(name: string, { mode = "tap" }: TapAttachOptions): NicError {
  const remedy = `make it anew with: ip tuntap del dev ${name} mode ${mode} && ` +
    `ip tuntap add dev ${name} mode ${mode} multi_queue && ip link set dev ${name} up`;
  return new NicError(name, "unsupported", "the interface has one queue only", remedy);
}

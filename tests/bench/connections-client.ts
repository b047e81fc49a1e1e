/**
 * Opens connection after connection by the kernel's own sockets.
 *
 * @module
 */
import { errnoText } from "../../nic/linux/errno.ts";
import { errno, libc, memory } from "../../nic/linux/libc.ts";
import { PollSet, socketAddress, streamSocket } from "./poll-set.ts";

const EINPROGRESS = 115;

/** How many connections there were, and in which time. */
export interface Opened {
  readonly count: number;
  readonly seconds: number;
}

/** Connects, sends a byte, waits for its echo and closes, `parallel` at a time. Throws an Error if one does not work. */
export function openConnections(address: string, port: number, parallel: number, seconds: number): Opened {
  const c = libc();
  const target = socketAddress(address, port);
  const byte = memory(1);
  const set = new PollSet(parallel);
  const connect = (place: number) => {
    const fd = streamSocket();
    if (c.connect(fd, target, target.length) < 0 && errno() !== EINPROGRESS) {
      throw new Error(`cannot connect (${errnoText(errno())})`);
    }
    set.set(place, fd, false);
  };
  const start = performance.now();
  let now = start, count = 0, open = parallel;
  for (let place = 0; place < parallel; place++) connect(place);
  while (open > 0) {
    if (set.wait(parallel) <= 0) throw new Error(`${open} connections stand still`);
    now = performance.now();
    const isOver = now - start >= seconds * 1e3;
    for (let place = 0; place < parallel; place++) {
      const fd = set.fd(place);
      if (fd < 0 || !set.isReady(place)) continue;
      if (!set.isReading(place)) {
        byte[0] = 1;
        if (c.sendto(fd, byte, 1, 0, null, 0) !== 1) throw new Error(`cannot send (${errnoText(errno())})`);
        set.set(place, fd, true);
        continue;
      }
      if (c.recvfrom(fd, byte, 1, 0, null, null) !== 1) throw new Error("a byte did not come back");
      c.close(fd);
      count++;
      if (isOver) {
        set.clear(place);
        open--;
      } else connect(place);
    }
  }
  return { count, seconds: (now - start) / 1e3 };
}

/**
 * The anchor of `connections`: an echo on the kernel's own sockets, with the calls that a program in C would make.
 *
 * `deno run -A tests/bench/connections-kernel.ts ADDRESS`: prints a line when it is ready.
 *
 * @module
 */
import { errnoText } from "../../nic/linux/errno.ts";
import { errno, libc, memory } from "../../nic/linux/libc.ts";
import { PollSet, socketAddress, streamSocket } from "./poll-set.ts";

const PORT = 7, BACKLOG = 4_096, MOST = 1_024, SOCK_NONBLOCK = 0o4000;

function serve(address: string): never {
  const c = libc();
  const listener = streamSocket();
  const bound = socketAddress(address, PORT);
  if (c.bind(listener, bound, bound.length) < 0 || c.listen(listener, BACKLOG) < 0) {
    throw new Error(`cannot listen (${errnoText(errno())})`);
  }
  const set = new PollSet(MOST), data = memory(1 << 16), free: number[] = [];
  set.set(0, listener, true);
  let used = 1;
  console.log("ready");
  for (;;) {
    set.wait(used);
    for (let place = used - 1; place > 0; place--) {
      const fd = set.fd(place);
      if (fd < 0 || !set.isReady(place)) continue;
      const length = c.recvfrom(fd, data, data.length, 0, null, null);
      if (length > 0) c.sendto(fd, data, length, 0, null, 0);
      else {
        c.close(fd);
        set.clear(place);
        free.push(place);
      }
    }
    while (set.isReady(0) && (free.length > 0 || used < MOST)) {
      const fd = c.accept4(listener, null, null, SOCK_NONBLOCK);
      if (fd < 0) break;
      set.set(free.pop() ?? used++, fd, true);
    }
  }
}

serve(Deno.args[0] ?? "127.0.0.1");

/** Running out of file descriptors. */
import { cString, libc } from "../../nic/linux/libc.ts";

const RLIMIT_NOFILE = 7;

/** Leaves this program `spare` descriptors that it may still open, until it is disposed of. */
export function limitDescriptors(spare: number): Disposable {
  const library = Deno.dlopen("libc.so.6", {
    getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  });
  const { getrlimit, setrlimit } = library.symbols;
  // struct rlimit { u64 soft, hard; }
  const before = new BigUint64Array(2);
  getrlimit(RLIMIT_NOFILE, before);
  const opened = Array.from({ length: spare + 1 }, () => libc().open(cString("/dev/null"), 0o2000000, 0));
  for (const fd of opened) libc().close(fd);
  setrlimit(RLIMIT_NOFILE, BigUint64Array.of(BigInt(Math.max(...opened)), before[1]!));
  return {
    [Symbol.dispose]: () => {
      setrlimit(RLIMIT_NOFILE, before);
      library.close();
    },
  };
}

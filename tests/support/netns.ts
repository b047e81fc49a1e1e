/**
 * Tests against the real kernel, each in a network namespace of its own.
 *
 * The test's own thread moves into a fresh namespace and back, so the body is ordinary code: NICs, Deno's sockets
 * and child processes all are inside. Whatever it leaves there goes with the namespace, on failure and when the
 * program is killed, too.
 *
 * @module
 */
import { errnoText } from "../../nic/linux/errno.ts";
import { cString, errno, libc } from "../../nic/linux/libc.ts";
import { setInterfaceUp } from "../../nic/linux/netif.ts";

const CLONE_NEWNET = 0x40000000, O_CLOEXEC = 0o2000000;

/** Leaves the namespace it stands for. */
class Namespace implements Disposable {
  readonly #home: number;

  constructor() {
    const c = libc("namespace");
    this.#home = c.open(cString("/proc/thread-self/ns/net"), O_CLOEXEC, 0);
    if (this.#home < 0) {
      throw new Error(`the present network namespace cannot be opened (${errnoText(errno())})`);
    }
    if (c.unshare(CLONE_NEWNET) === 0) return;
    const reason = errnoText(errno());
    c.close(this.#home);
    throw new Error(
      `no network namespace to be had (${reason}); run as root, or: unshare -Urn deno task test`,
    );
  }

  [Symbol.dispose](): void {
    const failed = libc().setns(this.#home, CLONE_NEWNET) !== 0;
    const reason = errnoText(errno());
    libc().close(this.#home);
    if (failed) throw new Error(`the test cannot leave its network namespace (${reason})`);
  }
}

/** Runs `body` in a fresh network namespace, with its loopback interface up, and answers what it answers. */
export async function inNamespace<T>(body: () => T | Promise<T>): Promise<T> {
  using _namespace = new Namespace();
  setInterfaceUp("lo");
  return await body();
}

/** Why such tests cannot run here, in one line; undefined: they can. */
function findProblem(): string | undefined {
  try {
    new Namespace()[Symbol.dispose]();
    Deno.openSync("/dev/net/tun", { read: true, write: true }).close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const problem: string | undefined = findProblem();

/** A test in a namespace of its own. Where there can be none it is ignored, and its name says why. */
export function kernelTest(name: string, body: () => void | Promise<void>): void {
  Deno.test({
    name: problem === undefined ? name : `${name} [skipped: ${problem}]`,
    ignore: problem !== undefined,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: () => inNamespace(body),
  });
}

/** Runs a program in the namespace of the caller and answers what it wrote; throws if it fails. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${decoder.decode(stderr) || decoder.decode(stdout)}`);
  }
  return decoder.decode(stdout);
}

/** Sets a variable of the namespace: `sysctl("net/ipv6/conf/all/disable_ipv6", "1")`. */
export function sysctl(path: string, value: string): void {
  // Only a synchronous call is made on this thread, and so in this namespace.
  Deno.writeTextFileSync(`/proc/sys/${path}`, value);
}

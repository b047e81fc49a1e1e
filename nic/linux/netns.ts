/**
 * Running a program in a fresh network namespace: interfaces of its own, which vanish with it, so that a
 * demonstration or a test can neither disturb the machine nor leave anything behind (unshare(1)).
 *
 * @module
 */

/** Whether and how a program can be run in a namespace of its own. */
export type NamespaceSupport = {
  /** It can: put these words before the command. */
  readonly prefix: readonly string[];
  readonly reason?: undefined;
} | {
  readonly prefix?: undefined;
  /** It cannot, why, and how to mend it: one line. */
  readonly reason: string;
};

/** `-r`: as root of a user namespace, `-U`, which an ordinary user may make. */
const WAYS: readonly (readonly string[])[] = [["unshare", "-n"], ["unshare", "-Urn"]];

/** A namespace without TAP interfaces is of no use: /dev/net/tun must be open to its root too. */
const PROBE = "test -c /dev/net/tun || { echo '/dev/net/tun is missing (modprobe tun)' >&2; exit 1; }; " +
  "exec 3<>/dev/net/tun";

/** Finds out by trying. Needs the permission to run `unshare`. */
export async function namespaceSupport(): Promise<NamespaceSupport> {
  if (Deno.build.os !== "linux") return { reason: `network namespaces need Linux, this is ${Deno.build.os}` };
  let refusal = "";
  for (const prefix of WAYS) {
    try {
      const { success, stderr } = await command([...prefix, "sh", "-c", PROBE], "piped").output();
      if (success) return { prefix };
      refusal = new TextDecoder().decode(stderr).trim().split("\n")[0]!.replace(/^sh: (line )?\d+: /, "");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        return { reason: "the program unshare is missing; install util-linux" };
      }
      if (error instanceof Deno.errors.NotCapable) {
        return { reason: "Deno may not run unshare; run it with --allow-run" };
      }
      throw error;
    }
  }
  return {
    reason: `${refusal}; run as root, or allow user namespaces and /dev/net/tun (chmod 0666) to users`,
  };
}

/**
 * Starts a command in a fresh network namespace, with this program's standard streams. Throws an Error with the
 * reason where that is impossible. The namespace ends with the last process in it.
 */
export async function spawnInNamespace(argv: readonly string[]): Promise<Deno.ChildProcess> {
  const { prefix, reason } = await namespaceSupport();
  if (prefix === undefined) throw new Error(`no network namespace to be had: ${reason}`);
  return command([...prefix, ...argv], "inherit").spawn();
}

function command(argv: readonly string[], streams: "piped" | "inherit"): Deno.Command {
  const [program = "", ...args] = argv;
  return new Deno.Command(program, {
    args,
    stdin: streams === "piped" ? "null" : "inherit",
    stdout: streams,
    stderr: streams,
  });
}

/** Starts this very program again in a network namespace of its own. */

/**
 * What a new interface is not to do: look for others with its addresses, make a link-local one, look for routers, and
 * tell routers of its groups a second time within the demonstration.
 */
const QUIET = {
  disable_ipv6: 0,
  accept_dad: 0,
  addr_gen_mode: 1,
  router_solicitations: 0,
  accept_ra: 0,
  mldv2_unsolicited_report_interval: 600_000,
};

/** What the shell in the namespace does before it becomes the program. */
const SETUP = [
  // The kernel is to say nothing over IPv6 by itself; where it cannot be told, that is left out of what is shown.
  "set_ipv6() { { echo $2 > /proc/sys/net/ipv6/conf/default/$1; } 2>/dev/null; }",
  ...Object.entries(QUIET).map(([name, value]) => `set_ipv6 ${name} ${value}`),
  // ping and arping of an ordinary user may lie where only root's PATH leads.
  'PATH="$PATH:/usr/sbin:/sbin" exec "$@"',
].join("\n");

/** The command that starts this program again; it asks no package registry, for there is no network in there. */
function selfCommand(args: readonly string[]): string[] {
  if (Deno.build.standalone) return [Deno.execPath(), ...args];
  const flags = ["--quiet", "--cached-only", "--no-prompt", "--allow-ffi", "--allow-run"];
  return [Deno.execPath(), "run", ...flags, Deno.mainModule, ...args];
}

/**
 * Runs this program with `args` behind `prefix` (`unshare ...`), with our standard streams, and answers with its exit
 * status. When the signal aborts it is told to stop, and still waited for.
 */
export async function runInNamespace(
  prefix: readonly string[],
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const [program = "", ...rest] = prefix;
  const child = new Deno.Command(program, {
    args: [...rest, "sh", "-c", SETUP, "ethox", ...selfCommand(args)],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself meanwhile, such as by the same Ctrl-C.
    }
  };
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) stop();
    return (await child.status).code;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

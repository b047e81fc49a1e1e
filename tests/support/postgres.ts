/**
 * A PostgreSQL server of the test's own, in the test's namespace, which trusts everybody there.
 *
 * @module
 */
import { findProgram } from "../../scripts/setup/programs.ts";

/** A server that runs. */
export interface Postgres extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** Starts a server that listens on an address; it goes with the answer. */
export async function postgres(host: string): Promise<Postgres> {
  const port = 5_432;
  const directory = await Deno.makeTempDir({ prefix: "ethox-pg-" });
  const data = `${directory}/data`;
  try {
    // PostgreSQL refuses to run as root.
    const isRoot = Deno.uid() === 0;
    if (isRoot) await done("chown", ["postgres", directory]);
    const as = (program: string, args: readonly string[]): [string, string[]] => {
      const path = beside(program);
      return isRoot
        ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", path, ...args]]
        : [path, [...args]];
    };
    await done(...as("initdb", ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync"]));
    await Deno.writeTextFile(`${data}/pg_hba.conf`, "host all all all trust\n");
    const settings = [`listen_addresses=${host}`, `port=${port}`, `unix_socket_directories=`, "fsync=off"];
    const [program, args] = as("postgres", ["-D", data, ...settings.flatMap((setting) => ["-c", setting])]);
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const drained = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    void (async () => {
      let text = "";
      for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
        text += part;
        if (text.includes("ready to accept connections")) ready.resolve();
      }
      ready.reject(new Error(`PostgreSQL does not start: ${text}`));
      drained.resolve();
    })();
    ready.promise.catch(() => {});
    await ready.promise;
    return {
      host,
      port,
      [Symbol.asyncDispose]: async () => {
        child.kill("SIGINT");
        await child.status;
        await drained.promise;
        await Deno.remove(directory, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(directory, { recursive: true });
    throw error;
  }
}

/** The path of a program of PostgreSQL's: Debian keeps them beside the server, not on the PATH. */
function beside(program: string): string {
  const server = Deno.realPathSync(findProgram("postgres")!);
  return `${server.slice(0, server.lastIndexOf("/"))}/${program}`;
}

async function done(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * Installing Debian packages, without questions and within a bounded time.
 *
 * @module
 */
import { findProgram } from "./programs.ts";

/** Why packages could not be installed: one line. */
export class InstallError extends Error {}

const UPDATE_TIME = 120_000, INSTALL_TIME = 420_000;

const OPTIONS = [
  "-q",
  "-o=DPkg::Lock::Timeout=60",
  "-o=Acquire::Retries=2",
  "-o=Acquire::http::Timeout=30",
  "-o=Dpkg::Use-Pty=0",
];

/**
 * Installs packages as root, or by sudo where that asks for no password.
 *
 * @throws {InstallError} when that cannot be done
 */
export async function install(packages: readonly string[]): Promise<void> {
  const apt = findProgram("apt-get");
  if (apt === undefined) {
    throw new InstallError(`apt-get is missing; install these by hand: ${packages.join(" ")}`);
  }
  const prefix = Deno.uid() === 0 ? [] : await sudo();
  // Without this, tshark asks whether ordinary users may capture. Its own default, no, is all that root needs.
  const command = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", apt, ...OPTIONS];
  await run([...command, "update"], UPDATE_TIME);
  await run([...command, "install", "-y", "--no-install-recommends", ...packages], INSTALL_TIME);
}

async function sudo(): Promise<string[]> {
  const path = findProgram("sudo");
  if (path !== undefined && await succeeds([path, "-n", "true"])) return [path, "-n"];
  throw new InstallError("packages can only be installed by root; run as root: deno task setup --yes");
}

async function succeeds([program = "", ...args]: readonly string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).output())
    .success;
}

async function run([program = "", ...args]: readonly string[], limit: number): Promise<void> {
  const signal = AbortSignal.timeout(limit);
  const command = new Deno.Command(program, {
    args,
    signal,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return;
  const what = `apt-get ${args.includes("update") ? "update" : "install"}`;
  if (signal.aborted) throw new InstallError(`${what} took longer than ${limit / 1_000} s`);
  const decoder = new TextDecoder();
  const lines = `${decoder.decode(stdout)}\n${decoder.decode(stderr)}`.split("\n");
  const complaints = lines.map((line) => line.trim()).filter((line) => line.startsWith("E: "));
  throw new InstallError(`${what} failed: ${complaints[0]?.slice(3) ?? "without a word"}`);
}

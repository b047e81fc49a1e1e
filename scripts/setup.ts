/**
 * Installs the Debian packages whose programs the kernel tests use, if the user gives leave.
 *
 * ```sh
 * deno task setup          # says what is missing
 * deno task setup --yes    # installs it; so does ETHOX_INSTALL=1, and root where CI=true
 * ```
 *
 * @module
 */
import { install, InstallError } from "./setup/apt.ts";
import { missingPrograms, type Program } from "./setup/programs.ts";

/** Whether packages may be installed without being asked for by hand. `ETHOX_INSTALL` decides, where it is set. */
export function mayInstall(): boolean {
  const wish = Deno.env.get("ETHOX_INSTALL");
  if (wish !== undefined && wish !== "") return wish === "1";
  return Deno.env.get("CI") === "true" && Deno.build.os === "linux" && Deno.uid() === 0;
}

/** Programs and their packages in words. */
export function describe(programs: readonly Program[]): string {
  return programs.map((program) => {
    return program.name === program.package ? program.name : `${program.name} (${program.package})`;
  }).join(", ");
}

/**
 * Installs what is missing and answers with what is missing then.
 *
 * @throws {InstallError} when that cannot be done, in one line
 */
export async function setUp(): Promise<Program[]> {
  const missing = missingPrograms();
  if (missing.length === 0) return missing;
  const packages = [...new Set(missing.map((program) => program.package))];
  console.log(`setup: installing ${packages.join(" ")}`);
  await install(packages);
  return missingPrograms();
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== "--yes");
  if (unknown !== undefined) {
    console.error(`setup: unknown argument ${unknown}; allowed: --yes`);
    return 2;
  }
  try {
    const installs = args.includes("--yes") || mayInstall();
    const missing = installs ? await setUp() : missingPrograms();
    if (missing.length === 0) {
      console.log("setup: every program that the kernel tests use is installed");
      return 0;
    }
    console.log(`setup: ${installs ? "still missing" : "missing"}: ${describe(missing)}`);
    if (!installs) console.log("setup: to install them, as root: deno task setup --yes");
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    console.error(`setup: ${error.message}`);
  }
  return 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

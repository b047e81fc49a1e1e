/**
 * What the kernel tests need of the machine: a network namespace with a TAP in it, and programs as peers.
 *
 * @module
 */
import { namespaceSupport } from "../../nic/linux/netns.ts";
import { describe, mayInstall, setUp } from "../setup.ts";
import { InstallError } from "../setup/apt.ts";
import { missingPrograms } from "../setup/programs.ts";

/** What was found. */
export interface Ground {
  /** Whether tests can have namespaces at all. */
  readonly usable: boolean;
  /** What goes before the command that runs the tests. */
  readonly prefix: readonly string[];
  /** What will make tests skip, one line each. */
  readonly problems: readonly string[];
}

/** Installs what may be installed, and says what is missing then. */
export async function prepareGround(): Promise<Ground> {
  const problems: string[] = [];
  const { prefix, reason } = await namespaceSupport();
  if (prefix === undefined) {
    return { usable: false, prefix: [], problems: [`kernel tests are skipped: ${reason}`] };
  }
  try {
    if (mayInstall()) await setUp();
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    problems.push(`setup: ${error.message}`);
  }
  const missing = missingPrograms();
  if (missing.length > 0) {
    problems.push(
      `kernel tests that need one of these are skipped: ${describe(missing)}; ` +
        "to have them installed, as root: deno task setup --yes",
    );
  }
  // Each test makes its own namespace. Without root it can do so as the root of a user namespace.
  return { usable: true, prefix: prefix.includes("-n") ? [] : prefix, problems };
}

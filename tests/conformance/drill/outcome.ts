/**
 * Holds a call's outcome against the result that a script expects.
 *
 * @module
 */
import { Arguments } from "./arguments.ts";
import type { CallAction } from "./ast.ts";
import type { Config } from "./config.ts";
import type { Outcome } from "./host.ts";

/** How the outcome of a call differs from what the script says: its result, its error, and what it hands out. */
export function outcomeDifference(
  action: CallAction,
  outcome: Outcome<readonly string[]>,
  file: string,
  config: Config,
): string[] {
  const args = new Arguments(action, file, config);
  const expected = action.result.kind === "ellipsis" ? undefined : args.numberOf(action.result, "a number");
  const wanted = action.errno === undefined ? `${expected}` : `${expected} ${action.errno}`;
  if (outcome.kind === "done") {
    const isWanted = expected === undefined || (expected === outcome.value && action.errno === undefined);
    return isWanted
      ? [...outcome.detail]
      : [`result: expected ${wanted}, but it is ${outcome.value}`, ...outcome.detail];
  }
  const errno = outcome.kind === "unsupported" ? "ENOSYS" : outcome.errno;
  const isWanted = expected === -1 &&
    (action.errno === undefined || canonical(action.errno) === canonical(errno));
  return isWanted ? [] : [`result: expected ${wanted}, but it is -1 ${errno}`];
}

/** Two names of one error. */
const canonical = (errno: string) => errno === "EWOULDBLOCK" ? "EAGAIN" : errno;

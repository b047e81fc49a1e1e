/**
 * Everything that is fuzzed.
 *
 * @module
 */
import type { Target } from "./target.ts";
import { tree } from "./targets/tree.ts";

/** All targets, in the order in which they are run. */
export const TARGETS: readonly Target[] = [tree];

/**
 * What the JavaScript engine is told: the same in the task `ethox`, the executable file and the benchmarks.
 *
 * @module
 */

/**
 * The tree of handlers is one long chain of short functions, longer than V8 inlines by itself (920 bytecodes). With more
 * it takes about 0.7 times as long: `deno task bench echo` shows both (docs/performance.md).
 */
export const ENGINE_FLAGS: readonly string[] = [
  "--v8-flags=--max-inlined-bytecode-size-cumulative=4000",
];

/** Errors about files that the user named, in words for one line. */

/** Why a file could not be used, without what only programmers need: "permission denied". */
export function fileProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof Deno.errors.NotCapable) {
    // Deno guards these by a permission of their own, whatever else is allowed.
    if (/all access/.test(error.message)) {
      return "Deno lets nobody use /dev, /proc and /sys without --allow-all";
    }
    const flag = /--allow-\w+/.exec(error.message)?.[0] ?? "the permission that it names";
    return `Deno may not use it; run it with ${flag}`;
  }
  const text = error.message.replace(/ \(os error \d+\).*$/s, "").replaceAll(/\s*\n\s*/g, " ");
  return text.charAt(0).toLowerCase() + text.slice(1);
}

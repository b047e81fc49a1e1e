/** The ways in which a running command comes to its end. */
import type { Instant } from "../../mod.ts";
import { CliError, ExitStatus } from "./errors.ts";
import type { Io } from "./io.ts";

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** What `signal.reason` of {@linkcode interruptible}'s controller says. */
export type StopReason = "interrupted" | "duration" | "done";

/**
 * Runs `work` with a controller that aborts on SIGINT, on SIGTERM and when `duration` is over. `work` aborts it itself,
 * with "done", when it has what it wanted.
 */
export async function interruptible<T>(
  io: Io,
  duration: Instant | undefined,
  work: (stop: AbortController) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const end = (reason: StopReason) => {
    if (!stop.signal.aborted) stop.abort(reason);
  };
  const interrupt = () => end("interrupted");
  if (io.interrupt?.aborted === true) interrupt();
  io.interrupt?.addEventListener("abort", interrupt);
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  const timer = duration === undefined ? undefined : setTimeout(() => end("duration"), duration / 1_000);
  try {
    return await work(stop);
  } finally {
    clearTimeout(timer);
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
    io.interrupt?.removeEventListener("abort", interrupt);
  }
}

/** What is said of a command that ended while it got ready: it had no address yet, or looked its host up. */
export function endedEarly({ reason }: AbortSignal): CliError {
  if (reason === "interrupted") return new CliError(ExitStatus.Interrupted, "interrupted");
  return new CliError(
    ExitStatus.Failed,
    "--duration: the time was over before an address was there; write a longer one",
  );
}

/** Resolves after `milliseconds`, or as soon as the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}

/** An appliance in memory with a control socket, in this process, and the commands that talk to it. */
import assert from "node:assert/strict";
import { ethox, type Run } from "./command.ts";

/** A running `ethox serve` on a wire in memory. */
export interface Controlled {
  /** Its socket. */
  readonly path: string;
  /** What it left, once it has ended. */
  readonly ended: Promise<Run>;
  /** Runs `ethox ctl` with these words. */
  readonly ctl: (...words: string[]) => Promise<Run>;
  /** The same, which must be done, and the JSON objects that it prints. */
  readonly rows: (...words: string[]) => Promise<Record<string, unknown>[]>;
}

/** Runs `body` while `ethox serve SERVICES --ctl` runs, then stops it and answers with what it left. */
export async function controlled(
  services: readonly string[],
  body: (appliance: Controlled) => Promise<void>,
): Promise<Run> {
  const directory = await Deno.makeTempDir({ prefix: "ethox-ctl-" });
  const path = `${directory}/ctl.sock`;
  let interrupt = () => {};
  const ready = Promise.withResolvers<void>();
  const running = ethox(["serve", ...services, "--nic", "link:", "--ctl", path, "--json", "-d", "600s"], {
    onOut: (_, stop) => {
      interrupt = stop;
      ready.resolve();
    },
  });
  const ctl = (...words: string[]) => ethox(["ctl", "--ctl", path, ...words]);
  try {
    await Promise.race([ready.promise, running]);
    await body({
      path,
      ended: running,
      ctl,
      rows: async (...words) => {
        const { status, out, err } = await ctl(...words, "--json");
        assert.equal(err, "");
        assert.equal(status, 0);
        return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
      },
    });
  } finally {
    interrupt();
    await running;
    await Deno.remove(directory, { recursive: true });
  }
  return await running;
}

/** What keeps a program running, of our sockets and of Deno's: each is opened by a program of its own, and left. */
import { deepEqual, equal } from "node:assert/strict";
import { OPENINGS } from "../../support/twins/lifetime.ts";

const MAIN = new URL("../../support/twins/lifetime.ts", import.meta.url).pathname;

/** How many programs run at once. */
const AT_ONCE = 4;

async function runs(side: "deno" | "stack", name: string): Promise<"holds" | "ends"> {
  const args = ["run", "-A", "--no-check", "--unstable-net", MAIN, side, name];
  const output = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  const [text, errors] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
  equal(output.code, 0, `${side}, ${name}: ${text}${errors}`);
  return text!.trim() === "holds" ? "holds" : "ends";
}

Deno.test("sockets: a program ends when it does with Deno's, where the stack does not hold it", async () => {
  const seen: Record<string, string[]> = {};
  const names = Object.keys(OPENINGS);
  const work = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      seen[name] = [await runs("deno", name), await runs("stack", name)];
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const different = Object.entries(seen).filter(([, [deno, ours]]) => deno !== ours);
  deepEqual(different, []);
  // Both are told apart: without that nothing was compared.
  equal(new Set(Object.values(seen).flat()).size, 2);
});

/** The programs of apps/examples, run as their first lines say, with the kernel's programs as clients. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { APPLIANCE, makeTap, peer, peerTest, PREFIX, TAP } from "../support/peer.ts";
import { assertEchoed, withDirectory } from "../support/tcp-peers.ts";

const EXAMPLES = fileURLToPath(new URL("../../apps/examples/", import.meta.url));

/** Runs an example while `body` does, then interrupts it: it must end well, and have complained of nothing. */
async function running(example: string, body: () => Promise<void>): Promise<void> {
  makeTap();
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--cached-only", "--no-prompt", "--allow-ffi", `${EXAMPLES}${example}`]
      .concat(`tap:${TAP}`, `${APPLIANCE}${PREFIX}`),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const stderr = new Response(child.stderr).text();
  const output = child.stdout.getReader();
  let said = "";
  try {
    for (const decoder = new TextDecoder(); !said.includes("\n");) {
      const { value, done } = await output.read();
      if (done) break;
      said += decoder.decode(value, { stream: true });
    }
    if (said.includes("\n")) await body();
  } finally {
    child.kill("SIGINT");
    const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
    await output.cancel();
    const [{ code, signal }, complaints] = await Promise.all([child.status, stderr]);
    clearTimeout(limit);
    assert.deepEqual({ code, signal, complaints }, { code: 0, signal: null, complaints: "" });
  }
  assert.match(said, /10\.0\.0\.1/);
}

for (const example of ["tree-echo.ts", "socket-echo.ts"]) {
  peerTest(`examples: ${example} gives socat and nc back what they send`, ["socat", "nc"], undefined, () => {
    return running(example, () =>
      withDirectory(async (directory) => {
        for (const length of [0, 1, 200_000, 4 << 20]) {
          await assertEchoed(directory, length, `socat -t 20 - TCP4:${APPLIANCE}:7`);
        }
        await assertEchoed(directory, 1 << 20, `nc -N ${APPLIANCE} 7`);
      }));
  });
}

for (const example of ["tree-web.ts", "socket-web.ts"]) {
  peerTest(
    `examples: ${example} gives curl its page, and says what there is not`,
    ["curl"],
    undefined,
    () => {
      return running(example, async () => {
        const args = ["--silent", "--show-error", "--max-time", "20", "--write-out", "%{http_code}"];
        for (const path of ["", "?query"]) {
          const { code, stdout, stderr } = await peer("curl", [...args, `http://${APPLIANCE}/${path}`]);
          assert.equal(code, 0, stderr);
          assert.match(stdout, /^Hello .*\n200$/);
        }
        const { stdout } = await peer("curl", [...args, `http://${APPLIANCE}/nothing`]);
        assert.equal(stdout, "There is only /\n404");
      });
    },
  );
}

Deno.test("examples: each is short, and stands on nothing but the public module", () => {
  const files = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name);
  assert.equal(files.length, 4);
  for (const name of files) {
    const text = Deno.readTextFileSync(`${EXAMPLES}${name}`);
    assert.ok(text.split("\n").length <= 80, `${name} has fewer than 80 lines`);
    assert.deepEqual([...text.matchAll(/from "(.*)"/g)].map(([, from]) => from), ["../../mod.ts"], name);
  }
});

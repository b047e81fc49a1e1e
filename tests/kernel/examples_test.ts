/** The programs of apps/examples, run as their first lines say, with the kernel's programs as clients. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { kernelTest } from "../support/netns.ts";
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

/** What an example prints that ends by itself. */
async function printed(...args: readonly string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--cached-only", "--no-prompt", ...args],
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assert.deepEqual([code, decoder.decode(stderr)], [0, ""]);
  return decoder.decode(stdout);
}

Deno.test("examples: two-stacks.ts needs no permission, and its hosts talk over both families", async () => {
  const text = await printed(`${EXAMPLES}two-stacks.ts`);
  assert.equal(text, "Hello 10.0.0.2, you asked 10.0.0.1\nHello fd00::2, you asked [fd00::1]\n");
});

kernelTest(
  "examples: websocket-tunnel.ts carries HTTP through a WebSocket, for one host after the other",
  async () => {
    const tunnel = `${EXAMPLES}websocket-tunnel.ts`;
    const server = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--cached-only", "--no-prompt", "--allow-net", tunnel, "8080"],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const output = server.stdout.getReader();
    try {
      // It says that it listens.
      await output.read();
      for (let client = 0; client < 2; client++) {
        const text = await printed("--allow-net", tunnel, "ws://127.0.0.1:8080");
        assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nHello through a WebSocket\n$/);
      }
    } finally {
      server.kill();
      await output.cancel();
      await server.status;
    }
  },
);

Deno.test("examples: each is short, and stands on nothing but the public module", () => {
  const files = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name);
  assert.equal(files.length, 6);
  for (const name of files) {
    const text = Deno.readTextFileSync(`${EXAMPLES}${name}`);
    assert.ok(text.split("\n").length <= 80, `${name} has fewer than 80 lines`);
    const others = [...text.matchAll(/from "(.*)"/g)].map(([, from]) => from).filter((from) =>
      !from?.startsWith("node:")
    );
    assert.deepEqual(others, ["../../mod.ts"], name);
  }
});

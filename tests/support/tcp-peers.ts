/**
 * What the tests of TCP against the kernel share: data in files, shells, and sockets of the kernel.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Output, peer } from "./peer.ts";

/** Runs `body` with the path of a fresh directory, which goes afterwards. */
export async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ethox-tcp-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Writes a file of bytes without any pattern, the same for the same length, and answers with their hash. */
export function writeNoise(path: string, length: number): string {
  const bytes = noise(length);
  Deno.writeFileSync(path, bytes);
  return hash(bytes);
}

/** Bytes without any pattern (Numerical Recipes' generator), the same for the same length. */
export function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = length | 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The hash of bytes, or of a file's. */
export function hash(source: Uint8Array | string): string {
  const bytes = typeof source === "string" ? Deno.readFileSync(source) : source;
  return createHash("sha256").update(bytes).digest("hex");
}

/** Runs a line of shell, for at most `limit` milliseconds; the variables are for its programs' paths and files. */
export async function shell(line: string, limit: number = 60_000): Promise<Output> {
  return await peer("sh", ["-c", line], limit);
}

/** Echoes a file by a line of shell whose stdin and stdout it is, and checks what came back. */
export async function assertEchoed(directory: string, length: number, line: string): Promise<void> {
  const [sent, received] = [`${directory}/sent`, `${directory}/received`];
  const expected = writeNoise(sent, length);
  const { code, stderr } = await shell(`${line} < ${sent} > ${received}`);
  assert.equal(code, 0, `${line}: ${stderr}`);
  const { size } = Deno.statSync(received);
  assert.equal(size, length, `${line}: bytes that came back; ${stderr}`);
  assert.equal(hash(received), expected, `${line}: what came back`);
}

/** Opens a connection with the kernel's own socket, sends, reads to the end while sending, and answers with the hash. */
export async function exchange(hostname: string, port: number, bytes: Uint8Array): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  const writing = (async () => {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    await connection.closeWrite();
  })();
  const digest = createHash("sha256");
  const chunk = new Uint8Array(65_536);
  for (let count = await connection.read(chunk); count !== null; count = await connection.read(chunk)) {
    digest.update(chunk.subarray(0, count));
  }
  await writing;
  return digest.digest("hex");
}

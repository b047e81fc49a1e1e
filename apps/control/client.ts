/** The other end of the control socket. */
import { Poller, Ready, UnixStream } from "../../mod.ts";
import { CliError, ExitStatus, messageOf } from "../cli/errors.ts";
import type { Row } from "./command.ts";

/** How long an answer may take, in milliseconds. */
const PATIENCE = 10_000;

/** Of an answer, so much is taken: more than any appliance says. */
const ANSWER_MAX = 16 << 20;

/** Sends one line and answers with the rows of the result. Throws a {@linkcode CliError}. */
export async function request(path: string, line: string): Promise<readonly Row[]> {
  const text = await exchange(path, line);
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    throw failed(path, "what listens there is no ethox");
  }
  if (typeof reply !== "object" || reply === null || !("ok" in reply)) {
    throw failed(path, "what listens there is no ethox");
  }
  if (reply.ok === true && "result" in reply && Array.isArray(reply.result)) return reply.result;
  throw new CliError(ExitStatus.Failed, "error" in reply ? String(reply.error) : "the answer has no result");
}

async function exchange(path: string, line: string): Promise<string> {
  let stream: UnixStream;
  try {
    stream = UnixStream.connect(path);
  } catch (error) {
    const remedy = "start the appliance with --ctl and the same path";
    throw new CliError(ExitStatus.Failed, `--ctl: ${messageOf(error)}; ${remedy}`);
  }
  const poller = new Poller(path);
  try {
    const until = performance.now() + PATIENCE;
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let at = 0; at < bytes.length;) {
      const written = stream.write(bytes.subarray(at));
      if (written < 0) throw failed(path, "the connection broke");
      at += written;
      if (written === 0) await ready(poller, stream, Ready.Writable, until, path);
    }
    const decoder = new TextDecoder(), chunk = new Uint8Array(65_536);
    for (let text = ""; text.length < ANSWER_MAX;) {
      const count = stream.read(chunk);
      if (count === 0) break;
      if (count < 0) await ready(poller, stream, Ready.Readable, until, path);
      else text += decoder.decode(chunk.subarray(0, count), { stream: true });
      if (text.endsWith("\n")) return text;
    }
    throw failed(path, "the appliance ended before it answered");
  } finally {
    stream.close();
    await poller.close();
  }
}

async function ready(
  poller: Poller,
  stream: UnixStream,
  events: number,
  until: number,
  path: string,
): Promise<void> {
  const left = until - performance.now();
  if (left <= 0) throw failed(path, `no answer within ${PATIENCE / 1_000} s`);
  await poller.wait([[stream.fd, events]], Math.ceil(left));
}

function failed(path: string, problem: string): CliError {
  return new CliError(ExitStatus.Failed, `--ctl: ${path}: ${problem}`);
}

/**
 * dnsmasq on the kernel's side of the TAP: a DHCP server and a DNS server that everybody has.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { TAP } from "./peer.ts";

/** A running dnsmasq, for this namespace; killed with the process of the tests. */
export class Dnsmasq implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #directory: string;
  readonly #reading: Promise<void>;
  #log = "";

  private constructor(child: Deno.ChildProcess, directory: string) {
    this.#child = child;
    this.#directory = directory;
    this.#reading = this.#read();
  }

  /** Starts it with more options, and waits until it serves. */
  static async start(...options: readonly string[]): Promise<Dnsmasq> {
    const directory = await Deno.makeTempDir();
    const args = [
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--no-resolv",
      "--no-hosts",
      "--no-ping",
      "--user=root",
      `--pid-file=${directory}/pid`,
      `--dhcp-leasefile=${directory}/leases`,
      "--log-facility=-",
      "--log-dhcp",
      "--log-queries",
      `--interface=${TAP}`,
      "--except-interface=lo",
      "--bind-interfaces",
      ...options,
    ];
    const dies = findProgram("setpriv") === undefined ? [] : ["setpriv", "--pdeathsig", "KILL"];
    const [program = "", ...rest] = [...dies, findProgram("dnsmasq") ?? "dnsmasq", ...args];
    const child = new Deno.Command(program, { args: rest, stdin: "null", stdout: "null", stderr: "piped" })
      .spawn();
    const server = new Dnsmasq(child, directory);
    await server.logged(/started, version/);
    return server;
  }

  /** What it has logged. */
  get log(): string {
    return this.#log;
  }

  /** Waits until it has logged this, and answers with the match. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const end = performance.now() + 60_000;
    for (;;) {
      const match = pattern.exec(this.#log);
      if (match !== null) return match;
      assert.ok(performance.now() < end, `dnsmasq did not log ${pattern}, but: ${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#reading;
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.#log += text;
  }
}

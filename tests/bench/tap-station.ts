/**
 * The processes that the `tap` benchmark measures, seen from outside.
 *
 * @module
 */
import { beside, deno } from "./process.ts";

/** The kernel's clock tick for /proc, in microseconds: USER_HZ is 100 on all of Deno's platforms. */
const TICK = 10_000;

/** A process that answers on a TAP. Ends with its disposal. */
export class Station implements AsyncDisposable {
  /** The address that it answers for. */
  readonly address: string;
  readonly #child: Deno.ChildProcess;

  private constructor(address: string, child: Deno.ChildProcess) {
    this.address = address;
    this.#child = child;
  }

  /** The program as users start it, with more services and options if there are any. */
  static appliance(tap: string, address: string, ...more: readonly string[]): Promise<Station> {
    return Station.on(`tap:${tap}`, address, ...more);
  }

  /** The same on any NIC. */
  static on(nic: string, address: string, ...more: readonly string[]): Promise<Station> {
    const command = ["serve", "ping", ...more, "--nic", nic, "--addr", `${address}/24`, "--json"];
    return Station.#start(deno(beside("../../apps/main.ts"), ...command), address);
  }

  /** A program of `tap-program.ts`. */
  static program(name: string, tap: string, address: string): Promise<Station> {
    return Station.#start(deno(beside("tap-program.ts"), name, tap, address), address);
  }

  /** The kernel's own TCP echo, at this address. */
  static kernel(address: string): Promise<Station> {
    return Station.#start(deno(beside("connections-kernel.ts"), address), address);
  }

  static async #start(argv: readonly string[], address: string): Promise<Station> {
    const [program = "", ...args] = argv;
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
    // Whatever it prints first says that it is ready.
    const reader = child.stdout.getReader();
    const { done } = await reader.read();
    if (done) throw new Error(`${argv.join(" ")} has ended, status ${(await child.status).code}`);
    reader.releaseLock();
    return new Station(address, child);
  }

  /** Processor time used so far, user and system, in microseconds. */
  cpuTime(): number {
    const stat = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`);
    // The name in parentheses may hold spaces; behind it the fields are counted from 3: utime is 14, stime 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  }

  /** Memory that it occupies, in KB. */
  memory(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${this.#child.pid}/status`))?.[1]);
  }

  /** Ends the process and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.stdout.cancel();
    await this.#child.status;
  }
}

/** Shows what happens to tests. */
import type { Address } from "../../mod.ts";
import type { Output } from "../cli/output.ts";
import { begunFields, finalFields, intervalFields } from "./events.ts";
import { finalHeading, finalLines, heading, intervalLines, RULE, streamLine } from "./lines.ts";
import type { Row } from "./measure.ts";
import type { Parameters } from "./parameters.ts";
import type { Outcome, Watcher } from "./party.ts";
import type { DataStream } from "./stream.ts";

/** A watcher that writes. */
export class Display implements Watcher {
  /** Why the last test failed. */
  failure: string | undefined;
  /** Whether a test has come to its end. */
  isFinished = false;
  readonly #output: Output;
  readonly #isServer: boolean;
  readonly #hasIntervals: boolean;

  /** `hasIntervals`: whether any will be told. */
  constructor(output: Output, isServer: boolean, hasIntervals: boolean) {
    this.#output = output;
    this.#isServer = isServer;
    this.#hasIntervals = hasIntervals;
  }

  met(address: Address, port: number): void {
    this.failure = undefined;
    this.#output.event(this.#isServer ? "accepted" : "connected", { address: String(address), port });
    if (this.#isServer) this.#output.line(`Accepted connection from ${address}, port ${port}`);
  }

  began(parameters: Parameters, streams: readonly Pick<DataStream, "sends" | "ends">[]): void {
    this.#output.event("begin", begunFields(parameters, streams));
    streams.forEach(({ ends }, index) => this.#output.line(streamLine(index + 1, ends)));
    if (this.#hasIntervals) this.#output.line(heading(parameters, streams[0]?.sends ?? false));
  }

  interim(parameters: Parameters, rows: readonly Row[], isOmitted: boolean): void {
    this.#output.event("interval", intervalFields(rows, isOmitted));
    for (const line of intervalLines(parameters, rows, isOmitted)) this.#output.line(line);
    if (rows.length > 1) this.#output.line(RULE);
  }

  finished(outcome: Outcome): void {
    const { parameters, rows } = outcome;
    this.isFinished = true;
    this.#output.event("end", finalFields(outcome));
    if (rows.length === 1 || !this.#hasIntervals) this.#output.line(RULE);
    this.#output.result(finalHeading(parameters));
    for (const line of finalLines(parameters, rows)) this.#output.result(line);
    if (this.#isServer) return;
    this.#output.line();
    this.#output.line("iperf Done.");
  }

  failed(why: string): void {
    this.failure = why;
    this.#output.event("failed", { why });
    // A client's failure is the program's, and told at its end.
    if (this.#isServer) this.#output.warn(`the test failed: ${why}`);
  }
}

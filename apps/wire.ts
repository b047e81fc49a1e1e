/** What the options put between a NIC and the host on it. */
import {
  type BpfProgram,
  DropWatch,
  faulty,
  type FaultyNic,
  filter,
  type FilteredNic,
  type LinkFaults,
  type Nic,
} from "../mod.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import type { Output } from "./cli/output.ts";
import { Recorder } from "./recorder.ts";
import { trace, type TraceOptions } from "./trace.ts";

/** The options that a {@linkcode Wire} honours. */
export interface WireOptions {
  readonly fault?: LinkFaults | undefined;
  readonly filter?: BpfProgram | undefined;
  readonly pcap?: string | undefined;
}

/**
 * A NIC with faults next to the wire, then a filter, then a capture next to the host: it holds what reaches the host
 * and what the host sends.
 */
export class Wire {
  /** The NIC as the host sees it. */
  readonly nic: Nic;
  /** The NIC with its faults, if any are wanted. */
  readonly faults: FaultyNic | undefined;
  /** The NIC behind its filter, if one is wanted. */
  readonly filter: FilteredNic | undefined;
  readonly #recorder: Recorder | undefined;
  #layers: () => Readonly<Record<string, object>> = () => ({});
  #watch: DropWatch | undefined;

  /** `name` is the NIC as the command line names it. Throws a {@linkcode CliError} when the file cannot be made. */
  constructor(nic: Nic, name: string, options: WireOptions, shown?: { output: Output; trace: TraceOptions }) {
    this.faults = options.fault === undefined ? undefined : faulty(nic, options.fault);
    const behindFaults: Nic = this.faults ?? nic;
    this.filter = options.filter === undefined ? undefined : filter(behindFaults, options.filter);
    const clean = this.filter ?? behindFaults;
    this.#recorder = options.pcap === undefined
      ? undefined
      : Recorder.open(clean, name, options.pcap, () => this.#dropReason());
    const recorded = this.#recorder ?? clean;
    this.nic = shown === undefined ? recorded : trace(recorded, shown.output, shown.trace);
  }

  /** Says which layers drop frames, the lowest first; asked once, when the first frame is. */
  watch(layers: () => Readonly<Record<string, object>>): void {
    this.#layers = layers;
  }

  /** Throws a {@linkcode CliError} if the capture is not whole; after the NIC was closed. */
  check(): void {
    const problem = this.#recorder?.fileFailure;
    if (problem !== undefined) throw new CliError(ExitStatus.Failed, problem);
  }

  #dropReason(): string | undefined {
    if (this.#watch === undefined) {
      const layers = this.#layers();
      if (Object.keys(layers).length === 0) return undefined;
      this.#watch = new DropWatch(layers);
    }
    return this.#watch.reason();
  }
}

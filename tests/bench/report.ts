/**
 * What benchmarks print: tables for people, or a line of JSON a figure.
 *
 * @module
 */

/** A benchmark: a name to choose it by, and what it does. */
export interface Benchmark {
  /** Its name on the command line. */
  readonly name: string;
  /** What it measures, in one line. */
  readonly about: string;
  /** Measures and reports. `quick` wants an idea of the figures in a few seconds. */
  readonly run: (report: Report, quick: boolean) => Promise<void> | void;
}

/** One figure, measured several times. */
export interface Figure {
  /** What was measured. */
  readonly title: string;
  /** The unit, as in "ns/packet". */
  readonly unit: string;
  /** One value a round. */
  readonly values: readonly number[];
  /** Digits behind the point in the table. Default 0. */
  readonly digits?: number;
}

const TITLE_WIDTH = 64;

/** Where the figures of a run go. */
export class Report {
  readonly #json: boolean;
  #benchmark = "";

  /** A report as tables, or as lines of JSON. */
  constructor(json: boolean) {
    this.#json = json;
  }

  /** What follows is of this benchmark. */
  begin({ name, about }: Benchmark): void {
    this.#benchmark = name;
    if (!this.#json) console.log(`\n${name}: ${about}`);
  }

  /** One figure: its median, least and greatest value. */
  figure({ title, unit, values, digits = 0 }: Figure): void {
    const [least = NaN] = values.toSorted((a, b) => a - b);
    const greatest = Math.max(...values);
    const middle = median(values);
    if (this.#json) {
      const figure = { benchmark: this.#benchmark, title, unit, median: middle, min: least, max: greatest };
      console.log(JSON.stringify({ ...figure, rounds: values.length }));
      return;
    }
    const text = (value: number) => value.toFixed(digits);
    const range = values.length > 1 ? ` [${text(least)}..${text(greatest)}]` : "";
    console.log(`  ${title.padEnd(TITLE_WIDTH)} ${text(middle).padStart(8)}${range.padEnd(18)} ${unit}`);
  }

  /** A remark, such as why something was not measured. */
  note(text: string): void {
    if (this.#json) console.log(JSON.stringify({ benchmark: this.#benchmark, note: text }));
    else console.log(`  ${text}`);
  }
}

/** The value in the middle; of an even number of values, the mean of both. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `part` of all values lies, between two values in proportion. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const low = sorted[Math.floor(at)] ?? NaN, high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at % 1);
}

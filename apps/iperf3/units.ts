/** Sizes and rates as iperf3 reads and writes them: bytes by 1,024, bits by 1,000. */
import { UsageError } from "../cli/errors.ts";

const LETTERS = ["", "k", "m", "g", "t"] as const;

/** A number of bytes, or of what else goes by 1,024: 1460, 128K, 1.5M. */
export function size(option: string, least: number, most: number): (text: string) => number {
  return scaled(option, 1_024, least, most, "a size such as 128K, K being 1,024");
}

/** Bits a second: 500K, 10M, 1.5G. */
export function rate(option: string): (text: string) => number {
  return scaled(option, 1_000, 0, 1e12, "bits a second, such as 500K, 10M or 1.5G, or 0 for no limit");
}

function scaled(
  option: string,
  step: number,
  least: number,
  most: number,
  form: string,
): (text: string) => number {
  return (text) => {
    const [, digits, letter = ""] = /^(\d{1,15}(?:\.\d{1,9})?)([kmgt])?$/i.exec(text) ?? [];
    const factor = step ** LETTERS.findIndex((one) => one === letter.toLowerCase());
    const value = digits === undefined ? NaN : Math.round(Number(digits) * factor);
    if (!(value >= least && value <= most)) {
      throw new UsageError(`${option}: "${text}" is not allowed; write ${form}, from ${least} to ${most}`);
    }
    return value;
  };
}

/** Bytes in five places: 128 KBytes, 1.12 GBytes. */
export function bytesText(bytes: number): string {
  return adapted(bytes, 1_024, ["Bytes", "KBytes", "MBytes", "GBytes", "TBytes"]);
}

/** Bits a second in five places: 1.05 Mbits/sec. */
export function rateText(bytes: number, seconds: number): string {
  const bits = seconds > 0 ? bytes * 8 / seconds : 0;
  return adapted(bits, 1_000, ["bits/sec", "Kbits/sec", "Mbits/sec", "Gbits/sec", "Tbits/sec"]);
}

function adapted(value: number, step: number, units: readonly string[]): string {
  let at = 0;
  for (; value >= step && at < units.length - 1; at++) value /= step;
  const text = value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
  return `${text.padStart(4)} ${units[at]}`;
}

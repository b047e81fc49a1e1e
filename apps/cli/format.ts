/** Numbers, times and tables for people. */
import type { Instant } from "../../mod.ts";

/** Microseconds as ping writes milliseconds: 0.045, 1.23, 45.6, 123. */
export function milliseconds(time: Instant): string {
  const value = time / 1_000;
  return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** A length of time in the unit that suits it: 45 us, 1.5 ms, 2.0 s. */
export function lengthOfTime(time: Instant): string {
  if (time < 1_000) return `${Math.round(time)} us`;
  return time < 1e6 ? `${milliseconds(time)} ms` : `${(time / 1e6).toFixed(1)} s`;
}

/** A number of bytes: 980 B, 2.1 kB, 3.4 MB. */
export function byteCount(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A counter's name in words: wrongChecksum becomes "wrong checksum". */
export function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Columns as wide as their widest cell; the cells of columns in `right` stand on their right-hand side. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, column) => {
      return right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
    }).join("  ").trimEnd()
  );
}

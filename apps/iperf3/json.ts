/** Values that were read from somebody else's JSON. */

/** Whether it is an object and no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The number; `otherwise` where there is nothing; NaN where there is something else. */
export function number(value: unknown, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  return typeof value === "number" ? value : NaN;
}

const decoder = new TextDecoder();

/** The value of a text; undefined: it is no JSON. Never throws. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

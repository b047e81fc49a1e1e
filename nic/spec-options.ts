/**
 * The parts of a NIC's specification, "kind:name,key=value,key=value", and their values.
 *
 * @module
 */

/** What may stand behind a NIC's name: its form and its meaning, for help texts. */
export interface SpecOption {
  /** "mode=skb|drv". */
  readonly form: string;
  /** In a few words. */
  readonly meaning: string;
}

/** A specification cut into its parts. */
export interface SpecParts {
  /** Before the first colon. */
  readonly kind: string;
  /** Up to the first comma. */
  readonly name: string;
  /** What follows, still to be read. */
  readonly options: SpecOptions;
}

/** Cuts a specification. Throws a SyntaxError for a part that is no "key=value", or a key given twice. */
export function cutSpec(text: string): SpecParts {
  const colon = text.indexOf(":");
  const [name = "", ...parts] = text.slice(colon + 1).split(",");
  return { kind: colon < 0 ? "" : text.slice(0, colon), name, options: new SpecOptions(text, parts) };
}

/**
 * The "key=value" parts. Whoever knows a kind asks for each key it has, then calls {@linkcode SpecOptions.finish}, which
 * refuses the others. A key that is not given answers undefined. All throw a SyntaxError that says what is allowed.
 */
export class SpecOptions {
  readonly #text: string;
  readonly #given = new Map<string, string>();
  readonly #known: string[] = [];

  /** The parts of the specification `text`, which messages quote. */
  constructor(text: string, parts: readonly string[]) {
    this.#text = text;
    for (const part of parts) {
      const equals = part.indexOf("=");
      if (equals <= 0) throw this.#wrong(`"${part}" is no option; write KEY=VALUE`);
      const key = part.slice(0, equals);
      if (this.#given.has(key)) throw this.#wrong(`${key} is given twice; write it once`);
      this.#given.set(key, part.slice(equals + 1));
    }
  }

  /** One of these words. */
  choice<const Word extends string>(key: string, words: readonly Word[]): Word | undefined {
    const value = this.#take(key);
    const word = words.find((word) => word === value);
    if (value !== undefined && word === undefined) {
      throw this.#wrong(`${key}=${value} is not allowed; write ${key}=${words.join(` or ${key}=`)}`);
    }
    return word;
  }

  /** "on" or "off". */
  toggle(key: string): boolean | undefined {
    const word = this.choice(key, ["on", "off"]);
    return word === undefined ? undefined : word === "on";
  }

  /** A whole number from `least` to `most`. */
  count(key: string, least: number, most: number): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const number = /^(0|[1-9]\d{0,8})$/.test(value) ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    throw this.#wrong(`${key}=${value} is not allowed; write a whole number from ${least} to ${most}`);
  }

  /** Throws if there is a key that nobody has asked for. */
  finish(): void {
    for (const key of this.#given.keys()) {
      if (this.#known.includes(key)) continue;
      const allowed = this.#known.length === 0 ? "it has none" : `it has ${this.#known.join(", ")}`;
      throw this.#wrong(`this kind of NIC has no option ${key}; ${allowed}`);
    }
  }

  #take(key: string): string | undefined {
    this.#known.push(key);
    return this.#given.get(key);
  }

  #wrong(problem: string): SyntaxError {
    return new SyntaxError(`"${this.#text}": ${problem}`);
  }
}

/** The text of a specification: every field beside `kind` and `name` is an option of that name. */
export function joinSpec(
  { kind, name = "", ...options }: {
    readonly kind: string;
    readonly name?: string;
    readonly [key: string]: string | number | boolean | undefined;
  },
): string {
  let text = `${kind}:${name}`;
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    text += `,${key}=${value === true ? "on" : value === false ? "off" : value}`;
  }
  return text;
}

/** The words behind a command on the command line. */
import { RequestError } from "./request.ts";

/** A reader of words, one after the other. */
export class Words {
  readonly #words: readonly string[];
  readonly #form: string;
  #at = 0;

  /** `form` is what should be written, for complaints. */
  constructor(words: readonly string[], form: string) {
    this.#words = words;
    this.#form = form;
  }

  /** The next word; undefined: there are no more. */
  next(): string | undefined {
    return this.#words[this.#at++];
  }

  /** The next word, which there must be. */
  needed(what: string): string {
    return this.next() ?? this.#wrong(`${what} is missing`);
  }

  /** Pairs of a name and a value until the end, by name. Each may be there once. */
  pairs(...names: string[]): Map<string, string> {
    const found = new Map<string, string>();
    for (let name = this.next(); name !== undefined; name = this.next()) {
      if (!names.includes(name) || found.has(name)) this.#wrong(`"${name}" is not expected here`);
      found.set(name, this.needed(`what follows ${name}`));
    }
    return found;
  }

  /** There must be no more words. */
  end(): void {
    const extra = this.next();
    if (extra !== undefined) this.#wrong(`"${extra}" is one word too many`);
  }

  #wrong(problem: string): never {
    throw new RequestError(`${problem}; write ${this.#form}`);
  }
}

/** A whole number; what is none is handed on as it is, for the appliance to refuse. */
export function numeral(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

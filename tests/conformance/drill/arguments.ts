/**
 * The arguments of a system call, as values.
 *
 * @module
 */
import { Address } from "../../../stack/wire/address.ts";
import type { CallAction, Expression } from "./ast.ts";
import type { Config } from "./config.ts";
import { constantNumber } from "./constants.ts";
import { DrillFailure, DrillUnsupported } from "./failure.ts";
import type { OptionValue, SocketAddress } from "./host.ts";

/** Reads a call's arguments; throws a {@linkcode DrillFailure} for one that is missing or of the wrong kind. */
export class Arguments {
  /** The call. */
  readonly call: CallAction;
  readonly #file: string;
  readonly #config: Config;

  /** The arguments of `call`. */
  constructor(call: CallAction, file: string, config: Config) {
    this.call = call;
    this.#file = file;
    this.#config = config;
  }

  /** How many there are. */
  get length(): number {
    return this.call.args.length;
  }

  /** The argument; `what` names it where it is missing. */
  at(index: number, what: string): Expression {
    return this.call.args[index] ?? this.fail(`${this.call.name}() lacks ${what}`);
  }

  /** The number of an argument. */
  number(index: number, what: string): number {
    return this.numberOf(this.at(index, what), what);
  }

  /** The number that an expression stands for. */
  numberOf(expression: Expression, what: string): number {
    const value = this.value(expression);
    return typeof value === "number" ? value : this.fail(`expected ${what}`, expression);
  }

  /** The number of the one element of an array, or of what is no array. */
  element(index: number, what: string): number {
    const expression = this.at(index, what);
    if (expression.kind !== "array") return this.numberOf(expression, what);
    return this.numberOf(expression.items[0] ?? this.fail(`expected ${what} in the array`, expression), what);
  }

  /** A constant's name; one that is written as a number, as its digits; "..." where any will do. */
  name(index: number, what: string): string {
    return this.nameOf(this.at(index, what), what);
  }

  /** The names that are joined with `|`; 0 is none. */
  names(index: number, what: string): readonly string[] {
    const expression = this.call.args[index];
    return expression === undefined
      ? this.fail(`${this.call.name}() lacks ${what}`)
      : this.namesOf(expression, what);
  }

  /** The names in an expression that are joined with `|`; 0 is none. */
  namesOf(expression: Expression, what: string): readonly string[] {
    const parts = expression.kind === "or" ? expression.parts : [expression];
    const names = parts.map((part) => this.nameOf(part, what)).filter((name) =>
      name !== "0" && name !== "..."
    );
    const number = parts.find((part) => part.kind === "integer" && part.value !== 0);
    return number === undefined
      ? names
      : this.fail(`expected the names of ${what} and not their numbers`, number);
  }

  /** A socket's name; undefined: `...` or NULL. */
  address(index: number): SocketAddress | undefined {
    const expression = this.at(index, "an address");
    if (expression.kind === "ellipsis" || this.#isNull(expression)) return undefined;
    if (expression.kind !== "sockaddr") this.fail("expected an address structure or ...", expression);
    return { address: expression.address, port: expression.port };
  }

  /** Whether an argument is `...`. */
  isAny(index: number): boolean {
    return this.call.args[index]?.kind === "ellipsis";
  }

  /** Whether an address argument is of the family that ends a connection. */
  isUnspecified(index: number): boolean {
    const expression = this.call.args[index];
    return expression?.kind === "sockaddr" && expression.family === "AF_UNSPEC";
  }

  /** What an option is set to. */
  option(index: number): OptionValue {
    const expression = this.at(index, "a value");
    const inner = expression.kind === "array" ? expression.items[0] : expression;
    if (inner === undefined) this.fail("expected a value in the array", expression);
    if (inner.kind === "linger") return { on: inner.on, seconds: inner.seconds };
    if (inner.kind === "string") return inner.text;
    if (inner.kind === "address") return inner.address.d;
    const value = this.value(inner);
    if (value !== undefined) return value;
    throw new DrillUnsupported(this.#file, inner.at, "this kind of an option's value");
  }

  /** The lengths of the vectors in an array, and whether one of them has text. */
  vectors(items: readonly Expression[]): number {
    return items.reduce((sum, item) => {
      return item.kind === "iovec" ? sum + item.length : this.fail("expected {..., length}", item);
    }, 0);
  }

  /** A number, or the name of a constant without one; undefined: neither. */
  value(expression: Expression): number | string | undefined {
    switch (expression.kind) {
      case "integer":
        return expression.value;
      case "word": {
        const defined = this.#config.defines.get(expression.name) ?? expression.name;
        return /^-?(?:[0-9]+|0x[0-9a-fA-F]+)$/.test(defined)
          ? Number(defined)
          : constantNumber(defined) ?? defined;
      }
      case "or": {
        const parts = expression.parts.map((part) => this.value(part));
        return parts.every((part) => typeof part === "number")
          ? parts.reduce((bits: number, part) => bits | part, 0)
          : undefined;
      }
      case "call":
        return expression.name === "htons" ? this.value(expression.args[0] ?? expression) : undefined;
      default:
        return undefined;
    }
  }

  /** Throws: the call, or what stands at `where`, is not as it must be. */
  fail(reason: string, where: { readonly at: CallAction["at"] } = this.call): never {
    throw new DrillFailure(this.#file, where.at, reason);
  }

  /** Throws: this is not supported. */
  unsupported(what: string): never {
    throw new DrillUnsupported(this.#file, this.call.at, what);
  }

  /** The unspecified address of the drill's family. */
  get anyAddress(): Address {
    return this.#config.isV4 ? new Address().setV4(0) : new Address();
  }

  /** The name that an expression is; a number's digits, and "..." where any will do. */
  nameOf(expression: Expression, what: string): string {
    if (expression.kind === "ellipsis") return "...";
    if (expression.kind === "integer") return String(expression.value);
    if (expression.kind !== "word") this.fail(`expected ${what}`, expression);
    return this.#config.defines.get(expression.name) ?? expression.name;
  }

  #isNull(expression: Expression): boolean {
    return (expression.kind === "word" && expression.name === "NULL") ||
      (expression.kind === "integer" && expression.value === 0);
  }
}

/**
 * Requests of the control socket: one JSON object a line, `{"command": "addr add", "address": "10.0.0.9/24"}`. Each is
 * answered by one line, `{"ok": true, "result": ...}` or `{"ok": false, "error": "..."}`, with the request's `id` if it
 * has one.
 */
import { Address, Cidr, Mac } from "../../mod.ts";
import { messageOf } from "../cli/errors.ts";
import type { Json } from "../cli/output.ts";

/** The longest line that is read, in bytes. */
export const LINE_MAX = 16_384;

/** What is wrong with a request, in one line for whoever sent it. */
export class RequestError extends Error {
  override readonly name: string = "RequestError";
}

/** An answer. */
export type Reply =
  | { readonly id?: Json; readonly ok: true; readonly result: Json }
  | { readonly id?: Json; readonly ok: false; readonly error: string };

/** A request's fields, each of which is asked for by its name; what nobody asked for is an error. */
export class Fields {
  /** The request's command. */
  readonly command: string;
  /** What the answer carries, so that the client knows whose it is. */
  readonly id: Json | undefined;
  readonly #values: Map<string, unknown>;

  private constructor(command: string, id: Json | undefined, values: Map<string, unknown>) {
    this.command = command;
    this.id = id;
    this.#values = values;
  }

  /** The fields of a line. Throws a {@linkcode RequestError}. */
  static parse(line: string): Fields {
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch {
      throw new RequestError('this is no JSON; write one object a line, as in {"command":"addr show"}');
    }
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      throw new RequestError('this is no JSON object; write one, as in {"command":"addr show"}');
    }
    const values = new Map<string, unknown>(Object.entries(parsed));
    const id = values.get("id"), command = values.get("command");
    values.delete("id");
    values.delete("command");
    if (id !== undefined && typeof id !== "string" && typeof id !== "number") {
      throw new RequestError("id must be a string or a number");
    }
    if (typeof command !== "string") throw new RequestError("command is missing; help lists all there are");
    return new Fields(command, id, values);
  }

  /** A string; undefined: it is not there. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    this.#values.delete(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string") return value;
    throw new RequestError(`${name} must be a string`);
  }

  /** A whole number within limits; undefined: it is not there. */
  number(name: string, least: number, most: number): number | undefined {
    const value = this.#values.get(name);
    this.#values.delete(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new RequestError(`${name} must be a whole number from ${least} to ${most}`);
  }

  /** An address; undefined: it is not there. */
  address(name: string): Address | undefined {
    return this.#read(name, Address.parse);
  }

  /** An address with its prefix; an address alone is one host. Undefined: it is not there. */
  cidr(name: string): Cidr | undefined {
    return this.#read(name, parseCidr);
  }

  /** A hardware address of one station; undefined: it is not there. */
  mac(name: string): Mac | undefined {
    const mac = this.#read(name, Mac.parse);
    if (mac?.isUnicast === false) throw new RequestError(`${name}: ${mac} is no station's address`);
    return mac;
  }

  /** Throws if there is a field that nobody asked for. */
  end(): void {
    const [name] = this.#values.keys();
    if (name !== undefined) throw new RequestError(`${quoted(this.command)} has no field ${quoted(name)}`);
  }

  #read<T>(name: string, parse: (text: string) => T): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      throw new RequestError(`${name}: ${messageOf(error)}`);
    }
  }
}

/** What somebody wrote, or its beginning, in quotes and in one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

/** The value, or the complaint that it is missing. */
export function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new RequestError(`${name} is missing`);
  return value;
}

/** ADDRESS/PREFIX, or ADDRESS for one host. */
export function parseCidr(text: string): Cidr {
  if (text.includes("/")) return Cidr.parse(text);
  const address = Address.parse(text);
  return new Cidr(address, address.isV4 ? 32 : 128);
}

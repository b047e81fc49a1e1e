/**
 * The expressions of a drill script: arguments and results of system calls.
 *
 * @module
 */
import type { Address } from "../../../stack/wire/address.ts";
import type { GreHeader, MplsLabel } from "./ast-header.ts";
import type { Position } from "./error.ts";

/** A value, or what stands for one. */
export type Expression = { readonly at: Position } & ExpressionBody;

type ExpressionBody =
  /** `...`: whatever fits. */
  | { readonly kind: "ellipsis" }
  /** Decimal or hexadecimal. */
  | { readonly kind: "integer"; readonly value: number; readonly hex: boolean }
  /** A constant's name. */
  | { readonly kind: "word"; readonly name: string }
  /** `"text"`, and `"text"...` for a text that goes on. */
  | { readonly kind: "string"; readonly text: string; readonly goesOn: boolean }
  /** `A|B|C`. */
  | { readonly kind: "or"; readonly parts: readonly Expression[] }
  /** `name = value`, as in a list of options. */
  | { readonly kind: "assign"; readonly name: string; readonly value: Expression }
  /** `name(...)`, such as `sizeof(x)` or `htons(80)`. */
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  /** `inet_addr("...")`, `inet6_addr("...")`. */
  | { readonly kind: "address"; readonly address: Address }
  /** `[a, b]`. */
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  /** `{a, b}` of no known structure. */
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | Structure;

/** The structures of the socket interface. */
export type Structure =
  | { readonly kind: "sockaddr"; readonly family: string; readonly port: number; readonly address: Address }
  | {
    readonly kind: "msghdr";
    readonly name: Expression;
    readonly nameLength: Expression;
    readonly vectors: readonly Expression[];
    readonly flags: Expression;
    readonly control: readonly Expression[];
  }
  | {
    readonly kind: "cmsg";
    readonly level: Expression;
    readonly type: Expression;
    readonly data: Expression;
  }
  | { readonly kind: "iovec"; readonly base: Expression; readonly length: number }
  | {
    readonly kind: "pollfd";
    readonly fd: Expression;
    readonly events: Expression;
    readonly revents: Expression | undefined;
  }
  | {
    readonly kind: "epoll";
    readonly events: Expression;
    readonly data: "fd" | "ptr" | "u32" | "u64";
    readonly value: Expression;
  }
  | { readonly kind: "linger"; readonly on: number; readonly seconds: number }
  | { readonly kind: "timestamping"; readonly seconds: number; readonly nanoseconds: number }
  | {
    readonly kind: "extended-error";
    readonly errno: Expression;
    readonly origin: Expression;
    readonly type: Expression;
    readonly code: Expression;
    readonly info: Expression;
    readonly data: Expression;
  }
  | { readonly kind: "mpls"; readonly labels: readonly MplsLabel[] }
  | { readonly kind: "gre"; readonly header: GreHeader };

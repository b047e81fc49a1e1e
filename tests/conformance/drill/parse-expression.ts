/**
 * Reads the expressions of a system call: its arguments and its result. What stands in braces is one of the socket
 * interface's structures, told apart by their first field's name.
 *
 * @module
 */
import { Address } from "../../../stack/wire/address.ts";
import type { Expression, Structure } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import type { Position } from "./error.ts";
import { parseGreHeader, parseMplsLabels } from "./parse-carrier.ts";

/** Reads expressions with commas between them, and the `closing` mark behind. At least one. */
export function parseExpressions(cursor: Cursor, closing: string): Expression[] {
  const list = [parseExpression(cursor)];
  while (cursor.accept(",")) list.push(parseExpression(cursor));
  if (!cursor.is(closing)) cursor.fail(`"," or "${closing}"`);
  cursor.next();
  return list;
}

/** Reads one expression. */
export function parseExpression(cursor: Cursor): Expression {
  cursor.enter();
  const first = parseTerm(cursor);
  const parts = [first];
  while (cursor.accept("|")) parts.push(parseTerm(cursor));
  cursor.leave();
  return parts.length === 1 ? first : { kind: "or", at: first.at, parts };
}

function parseTerm(cursor: Cursor): Expression {
  const { token } = cursor;
  const { at, kind } = token;
  switch (kind) {
    case "ellipsis":
      cursor.next();
      return { kind, at };
    case "integer":
    case "hex":
      return { kind: "integer", at, value: parseInteger(cursor), hex: kind === "hex" };
    case "string":
      return parseString(cursor);
    case "word":
      return parseWord(cursor);
    default:
      break;
  }
  if (cursor.accept("[")) {
    const items = cursor.accept("]") ? [] : parseExpressions(cursor, "]");
    return { kind: "array", at, items };
  }
  if (cursor.accept("{")) return parseStructure(cursor, at);
  cursor.fail("a value");
}

function parseInteger(cursor: Cursor): number {
  const { at, text } = cursor.next();
  const value = Number(text);
  if (!Number.isSafeInteger(value)) cursor.failAt(at, `the number ${text} is too large`);
  return value;
}

/** Strings that follow each other are one. */
function parseString(cursor: Cursor): Expression {
  const { at } = cursor.token;
  let text = "";
  while (cursor.token.kind === "string") text += cursor.next().text;
  const goesOn = cursor.token.kind === "ellipsis";
  if (goesOn) cursor.next();
  return { kind: "string", at, text, goesOn };
}

function parseWord(cursor: Cursor): Expression {
  const { at, text: name } = cursor.next();
  if (cursor.accept("=")) return { kind: "assign", at, name, value: parseExpression(cursor) };
  if (!cursor.is("(")) return { kind: "word", at, name };
  if (name === "inet_addr" || name === "inet6_addr") {
    return { kind: "address", at, address: parseAddressCall(cursor, name === "inet_addr" ? "v4" : "v6") };
  }
  cursor.next();
  const args = cursor.accept(")") ? [] : parseExpressions(cursor, ")");
  return { kind: "call", at, name, args };
}

/** Reads `("address")`. */
function parseAddressCall(cursor: Cursor, family: "v4" | "v6"): Address {
  cursor.expect("(");
  const { at, text } = cursor.take("string", "an address in quotes");
  const address = Address.tryParse(text);
  if (address === undefined || address.isV4 !== (family === "v4")) {
    cursor.failAt(at, `"${text}" is no ${family === "v4" ? "IPv4" : "IPv6"} address`);
  }
  cursor.expect(")");
  return address;
}

/** Reads a structure whose brace, at `at`, was read, and the closing brace. */
function parseStructure(cursor: Cursor, at: Position): Expression {
  const reader = cursor.token.kind === "word" ? STRUCTURES.get(cursor.token.text) : undefined;
  if (reader !== undefined && isField(cursor)) {
    const structure = reader(cursor);
    cursor.expect("}");
    return { at, ...structure };
  }
  if (cursor.is("(")) {
    const labels = parseMplsLabels(cursor);
    cursor.expect("}");
    return { kind: "mpls", at, labels };
  }
  const items = cursor.accept("}") ? [] : parseExpressions(cursor, "}");
  const [base, length] = items;
  if (items.length === 2 && base?.kind === "ellipsis" && length?.kind === "integer") {
    return { kind: "iovec", at, base, length: length.value };
  }
  return { kind: "list", at, items };
}

/** Whether the next word names a field: `fd=`, `msg_name(...)=`; a GRE header's flags have no sign. */
function isField(cursor: Cursor): boolean {
  const sign = cursor.peek().text;
  return sign === "=" || sign === "(" || cursor.is("flags") || cursor.is("Flags");
}

const STRUCTURES: ReadonlyMap<string, (cursor: Cursor) => Structure> = new Map([
  ["sa_family", parseSocketAddress],
  ["msg_name", parseMessage],
  ["cmsg_level", parseControl],
  ["fd", parsePoll],
  ["events", parseEpoll],
  ["onoff", parseLinger],
  ["scm_sec", parseTimestamping],
  ["ee_errno", parseExtendedError],
  ["flags", parseGre],
  ["Flags", parseGre],
]);

function parseSocketAddress(cursor: Cursor): Structure {
  const familyAt = cursor.peek(2).at;
  const family = field(cursor, "sa_family", () => cursor.take("word", "an address family").text);
  if (family !== "AF_INET" && family !== "AF_INET6" && family !== "AF_UNSPEC") {
    cursor.failAt(familyAt, `expected AF_INET, AF_INET6 or AF_UNSPEC, but there is "${family}"`);
  }
  cursor.expect(",");
  const port = either(cursor, "sin_port", "sin6_port", () => {
    cursor.expect("htons");
    cursor.expect("(");
    const port = cursor.integer("port", 0, 65_535);
    cursor.expect(")");
    return port;
  });
  cursor.expect(",");
  const address = either(cursor, "sin_addr", "sin6_addr", () => parseFamilyAddress(cursor, family));
  return { kind: "sockaddr", family, port, address };
}

function parseFamilyAddress(cursor: Cursor, family: "AF_INET" | "AF_INET6" | "AF_UNSPEC"): Address {
  if (cursor.accept("INADDR_ANY")) return new Address().setV4(0);
  if (!cursor.accept("inet6_addr")) cursor.expect("inet_addr");
  return parseAddressCall(cursor, family === "AF_INET6" ? "v6" : "v4");
}

function parseMessage(cursor: Cursor): Structure {
  cursor.expect("msg_name");
  cursor.expect("(");
  const nameLength = parseExpression(cursor);
  cursor.expect(")");
  cursor.expect("=");
  const name = parseExpression(cursor);
  cursor.expect(",");
  cursor.expect("msg_iov");
  cursor.expect("(");
  const vectorCount = cursor.integer("number of vectors", 0, 1_024);
  cursor.expect(")");
  cursor.expect("=");
  const { at } = cursor.token;
  const vectors = parseArray(cursor);
  if (vectors.length !== vectorCount) {
    cursor.failAt(at, `there are ${vectors.length} vectors, not ${vectorCount} as msg_iov() says`);
  }
  cursor.expect(",");
  const flags = field(cursor, "msg_flags", () => parseExpression(cursor));
  const control = cursor.accept(",") ? field(cursor, "msg_control", () => parseArray(cursor)) : [];
  return { kind: "msghdr", name, nameLength, vectors, flags, control };
}

function parseArray(cursor: Cursor): Expression[] {
  cursor.expect("[");
  return cursor.accept("]") ? [] : parseExpressions(cursor, "]");
}

function parseControl(cursor: Cursor): Structure {
  const level = field(cursor, "cmsg_level", () => parseExpression(cursor));
  const type = next(cursor, "cmsg_type");
  return { kind: "cmsg", level, type, data: next(cursor, "cmsg_data") };
}

function parsePoll(cursor: Cursor): Structure {
  const fd = field(cursor, "fd", () => parseExpression(cursor));
  const events = next(cursor, "events");
  return { kind: "pollfd", fd, events, revents: cursor.is(",") ? next(cursor, "revents") : undefined };
}

function parseEpoll(cursor: Cursor): Structure {
  const events = field(cursor, "events", () => parseExpression(cursor));
  cursor.expect(",");
  for (const data of ["fd", "ptr", "u32", "u64"] as const) {
    if (cursor.is(data)) {
      return { kind: "epoll", events, data, value: field(cursor, data, () => parseExpression(cursor)) };
    }
  }
  cursor.fail('"fd", "ptr", "u32" or "u64"');
}

function parseLinger(cursor: Cursor): Structure {
  const on = field(cursor, "onoff", () => cursor.integer("switch", 0, 1));
  cursor.expect(",");
  return {
    kind: "linger",
    on,
    seconds: field(cursor, "linger", () => cursor.integer("time", 0, 0x7fffffff)),
  };
}

function parseTimestamping(cursor: Cursor): Structure {
  const seconds = field(cursor, "scm_sec", () => cursor.integer("time", 0, Number.MAX_SAFE_INTEGER));
  cursor.expect(",");
  const nanoseconds = field(cursor, "scm_nsec", () => cursor.integer("time", 0, 999_999_999));
  return { kind: "timestamping", seconds, nanoseconds };
}

function parseExtendedError(cursor: Cursor): Structure {
  const errno = field(cursor, "ee_errno", () => parseExpression(cursor));
  const origin = next(cursor, "ee_origin");
  const type = next(cursor, "ee_type");
  const code = next(cursor, "ee_code");
  const info = next(cursor, "ee_info");
  return { kind: "extended-error", errno, origin, type, code, info, data: next(cursor, "ee_data") };
}

function parseGre(cursor: Cursor): Structure {
  return { kind: "gre", header: parseGreHeader(cursor) };
}

/** Reads `name = value`. */
function field<T>(cursor: Cursor, name: string, value: () => T): T {
  cursor.expect(name);
  cursor.expect("=");
  return value();
}

/** As {@linkcode field}, under either of two names. */
function either<T>(cursor: Cursor, name: string, other: string, value: () => T): T {
  return field(cursor, cursor.is(other) ? other : name, value);
}

/** Reads a comma and `name = expression`. */
function next(cursor: Cursor, name: string): Expression {
  cursor.expect(",");
  return field(cursor, name, () => parseExpression(cursor));
}

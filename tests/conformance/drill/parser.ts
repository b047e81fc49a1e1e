/**
 * Reads a drill script: options, commands, and events with their times.
 *
 * @module
 */
import type { Instant } from "../../../stack/store/time.ts";
import type { Action, CallAction, CommandAction, Event, Option, Script, Time } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import type { Token } from "./lexer.ts";
import { parseExpression, parseExpressions } from "./parse-expression.ts";
import { parsePacket } from "./parse-packet.ts";

/**
 * Reads a whole script. `file` is its name for messages.
 *
 * @throws {DrillSyntaxError} when it is written wrongly, saying where, what was expected and what is there
 */
export function parseScript(source: string, file: string): Script {
  const cursor = new Cursor(source, file);
  const options: Option[] = [];
  while (cursor.token.kind === "option") options.push(parseOption(cursor));
  const setUp = parseCommands(cursor);
  const events: Event[] = [];
  while (cursor.token.kind !== "end" && cursor.token.kind !== "command") events.push(parseEvent(cursor));
  const cleanUp = parseCommands(cursor);
  if (cursor.token.kind !== "end") cursor.fail("the end of the script behind the command that cleans up");
  return { file, title: titleOf(source), options, setUp, events, cleanUp };
}

/** The text of the first comment line that has any; undefined: something else stands before it. */
export function titleOf(source: string): string | undefined {
  for (const line of source.split("\n")) {
    const comment = /^\s*(?:\/\/+|#+!?|\/?\*+)?(.*?)(?:\*\/)?\s*$/.exec(line);
    const text = comment?.[1]?.trim() ?? "";
    if (text === "") continue;
    return /^\s*(?:\/\/|#|\/?\*)/.test(line) ? text : undefined;
  }
  return undefined;
}

function parseOption(cursor: Cursor): Option {
  const { text: name, at } = cursor.next();
  if (!cursor.accept("=")) return { name, value: undefined, at };
  const first = cursor.token;
  if (first.kind === "end" || first.kind === "option") cursor.fail(`a value for the option --${name}`);
  let last = cursor.next();
  while (cursor.token.kind !== "end" && cursor.token.start === last.end) last = cursor.next();
  const value = first === last ? first.text : cursor.source.slice(first.start, last.end);
  return { name, value, at };
}

function parseCommands(cursor: Cursor): CommandAction[] {
  const commands: CommandAction[] = [];
  while (cursor.token.kind === "command") commands.push(parseCommand(cursor));
  return commands;
}

function parseCommand(cursor: Cursor): CommandAction {
  const { at, text } = cursor.next();
  return { kind: "command", at, text: text.trim() };
}

function parseEvent(cursor: Cursor): Event {
  const { at } = cursor.token;
  const time = parseTime(cursor);
  const action = parseAction(cursor, time);
  if (time.kind !== "at" && !(action.kind === "packet" && action.direction === "out")) {
    const what = time.kind === "any" ? 'the time "*"' : "a range of times";
    cursor.failAt(at, `${what} is only for packets that must go out (>)`);
  }
  return { at, time, action };
}

function parseTime(cursor: Cursor): Time {
  if (cursor.accept("*")) return { kind: "any" };
  const relative = cursor.accept("+");
  const from = parseSeconds(cursor);
  if (!cursor.accept("~")) return { kind: "at", relative, from };
  const { at } = cursor.token;
  if (relative) cursor.expect("+");
  const to = parseSeconds(cursor);
  if (to < from) cursor.failAt(at, "a range of times must not end before it starts");
  return { kind: "between", relative, from, to };
}

function parseSeconds(cursor: Cursor): Instant {
  const { token } = cursor;
  if (token.kind !== "integer" && token.kind !== "float") cursor.fail("a time in seconds");
  if (token.text.startsWith("-")) cursor.failAt(token.at, `a time must not be negative: ${token.text}`);
  const time = Math.round(Number(token.text) * 1_000_000);
  if (!Number.isSafeInteger(time)) cursor.failAt(token.at, `the time ${token.text} is too long`);
  cursor.next();
  return time;
}

function parseAction(cursor: Cursor, time: Time): Action {
  const { token } = cursor;
  if (token.kind === "command") return parseCommand(cursor);
  if (token.kind === "code") return { kind: "code", at: cursor.next().at, text: token.text };
  if (cursor.is("<") || cursor.is(">")) return parsePacket(cursor);
  if (token.kind === "word" || token.kind === "ellipsis") return parseCall(cursor, time);
  cursor.fail("a packet (< or >), a system call, a command in backquotes or a code block");
}

function parseCall(cursor: Cursor, time: Time): CallAction {
  let end: Instant | undefined;
  if (cursor.token.kind === "ellipsis") {
    cursor.next();
    const { at } = cursor.token;
    end = parseSeconds(cursor);
    if (time.kind === "at" && end < time.from) cursor.failAt(at, "a call must not end before it starts");
  }
  const { text: name, at } = cursor.take("word", "a system call's name");
  cursor.expect("(");
  const args = cursor.accept(")") ? [] : parseExpressions(cursor, ")");
  cursor.expect("=");
  const result = parseExpression(cursor);
  const errno = isErrno(cursor.token) ? cursor.next().text : undefined;
  return { kind: "call", at, end, name, args, result, errno, note: parseNote(cursor) };
}

function isErrno(token: Token): boolean {
  return token.kind === "word" && /^E[A-Z0-9]+$/.test(token.text);
}

/** What is in the parentheses behind a result: free text, but for parentheses. */
function parseNote(cursor: Cursor): string | undefined {
  if (!cursor.is("(")) return undefined;
  const start = cursor.next();
  while (!cursor.is(")")) {
    if (cursor.token.kind === "end") cursor.failAt(start.at, "this remark is not closed by )");
    cursor.next();
  }
  return cursor.source.slice(start.end, cursor.next().start).trim();
}

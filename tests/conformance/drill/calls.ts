/**
 * System calls by their names: from a script's line to the host's methods.
 *
 * @module
 */
import type { CallAction } from "./ast.ts";
import { Arguments } from "./arguments.ts";
import type { Attempt, CallContext, Prepare } from "./call.ts";
import { readCalls } from "./calls-read.ts";
import { socketCalls } from "./calls-socket.ts";
import { writeCalls } from "./calls-write.ts";

const CALLS: ReadonlyMap<string, Prepare> = new Map([...socketCalls, ...readCalls, ...writeCalls]);

/** Makes a call ready; throws a DrillUnsupported for one that is not known here. */
export function prepareCall(call: CallAction, context: CallContext): Attempt {
  const args = new Arguments(call, context.file, context.config);
  const prepare = CALLS.get(call.name);
  return prepare === undefined ? args.unsupported(`the call ${call.name}()`) : prepare(args, context);
}

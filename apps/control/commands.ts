/** All commands of the control socket, and how a line becomes its answer. */
import { messageOf } from "../cli/errors.ts";
import { table } from "../cli/format.ts";
import { addr } from "./addr.ts";
import type { ControlCommand, ControlledHost, Row } from "./command.ts";
import { neigh } from "./neigh.ts";
import { Fields, quoted, type Reply, RequestError } from "./request.ts";
import { route } from "./route.ts";
import { show } from "./show.ts";
import { Words } from "./words.ts";
import { worker } from "./worker.ts";

const help: ControlCommand = {
  name: "help",
  form: "",
  meaning: "list the commands",
  fields: (words) => {
    new Words(words, "help").end();
    return {};
  },
  run: () => CONTROL_COMMANDS.map(({ name, form, meaning }): Row => ({ command: name, form, meaning })),
  lines: (rows) => table(rows.map(({ command, form, meaning }) => [`${command} ${form}`, String(meaning)])),
};

/** All of them. */
export const CONTROL_COMMANDS: readonly ControlCommand[] = [
  ...addr,
  ...route,
  ...neigh,
  ...show,
  ...worker,
  help,
];

/** Answers one line. Never throws, whatever the line is. */
export async function answer(host: ControlledHost, line: string): Promise<Reply> {
  let id: Reply["id"];
  const withId = <T extends Reply>(reply: T): T => id === undefined ? reply : { id, ...reply };
  try {
    const fields = Fields.parse(line);
    id = fields.id;
    const command = CONTROL_COMMANDS.find(({ name }) => name === fields.command);
    if (command === undefined) {
      throw new RequestError(
        `there is no command ${quoted(fields.command)}; help lists all there are`,
      );
    }
    const result = await command.run(host, fields);
    fields.end();
    return withId({ ok: true, result });
  } catch (error) {
    return withId({ ok: false, error: messageOf(error) });
  }
}

/** What words on a command line ask for. A command's first word alone means its "show". */
export interface Asked {
  readonly command: ControlCommand;
  /** The request as a line. */
  readonly line: string;
}

/** The request of words such as `addr add 10.0.0.9/24`. Throws a {@linkcode RequestError}. */
export function ask(words: readonly string[]): Asked {
  const [first = "help", second = "show"] = words;
  const named = SYNONYMS[second] ?? second;
  const command = CONTROL_COMMANDS.find(({ name }) => name === first || name === `${first} ${named}`);
  if (command === undefined) {
    const known = CONTROL_COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
    const all = known.length > 0 ? known : CONTROL_COMMANDS.map(({ name }) => name);
    throw new RequestError(`there is no command "${words.join(" ")}"; allowed is ${all.join(", ")}`);
  }
  const rest = words.slice(command.name.includes(" ") ? 2 : 1);
  return { command, line: JSON.stringify({ command: command.name, ...command.fields(rest) }) };
}

/** As iproute2 has them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  list: "show",
  ls: "show",
  delete: "del",
  remove: "del",
  a: "add",
  change: "replace",
};

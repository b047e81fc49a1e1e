/** Requests to a host whose flows Workers have: what they know is asked of all, what is changed holds for all. */
import type { Json } from "../cli/output.ts";
import type { Row } from "../control/command.ts";
import { answer } from "../control/commands.ts";
import { Fields, type Reply } from "../control/request.ts";
import { CONNECTIONS_MAX } from "../control/show.ts";
import type { Layers } from "./counter-board.ts";
import type { Crew } from "./crew.ts";
import type { Speaker } from "./speaker.ts";

/** What answers for a host, its speaker and its Workers together. `layers`: what all have counted. */
export function answerForAll(crew: Crew, speaker: Speaker, layers: () => Layers): typeof answer {
  return async (host, line) => {
    const reply = await answer(host, line);
    if (!reply.ok) return reply;
    const { command } = Fields.parse(line);
    // All end with the host, before they could say so.
    if (command === "stop") return reply;
    // What was changed is so for all when it is answered.
    speaker.follow();
    await crew.follow();
    const reset = await crew.settled(speaker.version);
    const rows = await together(command, rowsOf(reply), crew, line, layers, reset);
    return { ...reply, result: rows as readonly Json[] };
  };
}

async function together(
  command: string,
  own: readonly Row[],
  crew: Crew,
  line: string,
  layers: () => Layers,
  reset: number,
): Promise<readonly Row[]> {
  switch (command) {
    case "connections":
      return [...own, ...(await crew.request(line)).flatMap(rowsOf)].slice(0, CONNECTIONS_MAX);
    case "counters":
      return layers().map(([layer, counters]): Row => ({ layer, ...counters }));
    case "nic": {
      const counters = layers().find(([layer]) => layer === "nic")?.[1];
      return own.map((row) => ({ ...row, ...counters }));
    }
    case "addr del":
      return own.map((row) => ({ ...row, connections: Number(row.connections ?? 0) + reset }));
    default:
      return own;
  }
}

/** The rows of a result, which are objects. */
function rowsOf(reply: Reply): readonly Row[] {
  return reply.ok && Array.isArray(reply.result) ? reply.result : [];
}

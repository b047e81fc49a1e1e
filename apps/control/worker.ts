/** `worker`: the threads that have the flows, where there are several. */
import { table } from "../cli/format.ts";
import {
  type ControlCommand,
  type ControlledHost,
  type ControlledWorkers,
  type Row,
  SILENT,
} from "./command.ts";
import { needed, RequestError } from "./request.ts";
import { numeral, Words } from "./words.ts";

function workersOf({ workers }: ControlledHost): ControlledWorkers {
  if (workers !== undefined) return workers;
  throw new RequestError("there are no workers; ethox serve --workers N starts them");
}

export const worker: readonly ControlCommand[] = [
  {
    name: "worker show",
    form: "",
    meaning: "list the workers: their state, and how often each was started again",
    fields: (words): Row => {
      new Words(words, "worker show").end();
      return {};
    },
    run: (host) => workersOf(host).list(),
    lines: (rows) =>
      rows.length === 0 ? [] : table([
        ["WORKER", "STATE", "RESTARTS"],
        ...rows.map(({ worker, state, restarts }) => [String(worker), String(state), String(restarts)]),
      ], [0, 2]),
  },
  {
    name: "worker restart",
    form: "N",
    meaning: "start a worker anew; its connections are lost, and reset when their peers send",
    fields: (words) => {
      const reader = new Words(words, "worker restart N");
      const number = reader.needed("the worker's number");
      reader.end();
      return { worker: numeral(number) };
    },
    run: async (host, fields) => {
      const workers = workersOf(host);
      const number = needed(fields.number("worker", 0, 1_000), "worker");
      fields.end();
      const row = await workers.restart(number);
      if (row === undefined) throw new RequestError(`there is no worker ${number}; worker show lists them`);
      return [row];
    },
    lines: SILENT,
  },
];

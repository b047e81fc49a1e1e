/** `ethox nics`: which kinds of NIC this machine can open. */
import {
  namespaceSupport,
  NIC_SPECS,
  NicError,
  type NicSpec,
  openNic,
  probeRaw,
  probeXdp,
} from "../../mod.ts";
import type { Command } from "../cli/commander.ts";
import { table } from "../cli/format.ts";
import { type Context, Output } from "../cli/output.ts";

const HELP = `
It finds out by trying: interfaces are made and removed again at once.

Examples:
  ethox nics
  ethox nics --json
`;

const OFFLOAD = "the same, with checksums and long segments left to the kernel";

/** Adds the command. */
export function addNics(program: Command, context: Context): void {
  program.command("nics")
    .description("list the kinds of NIC, and whether this machine can open them now")
    .option("--json", "write one JSON object a line")
    .addHelpText("after", HELP)
    .action(async (given) => {
      const output = new Output(context.io, given);
      const rows: string[][] = [];
      const show = (nic: string, meaning: string, problem: string | undefined) => {
        output.event("nic", { nic, meaning, available: problem === undefined, problem });
        rows.push([nic, problem === undefined ? "yes" : "no", problem ?? meaning]);
      };
      for (const { form, meaning } of NIC_SPECS) {
        const kind = form.slice(0, form.indexOf(":")) as NicSpec["kind"];
        show(form, meaning, await PROBES[kind]());
        if (kind === "tap") show(`${form},offload=on`, OFFLOAD, await attachProblem("tap", true));
      }
      for (const line of table(rows)) output.line(line);
    });
}

/** Finds out why a kind cannot be opened; undefined: it can. */
const PROBES: Readonly<Record<NicSpec["kind"], () => Promise<string | undefined>>> = {
  tap: () => attachProblem("tap"),
  tun: () => attachProblem("tun"),
  raw: () => orInNamespace(problemOf(probeRaw)),
  xdp: () => Promise.resolve(problemOf(probeXdp)),
  link: () => Promise.resolve(tryOpening({ kind: "link" })),
};

async function attachProblem(kind: "tap" | "tun", offload?: boolean): Promise<string | undefined> {
  const name = `ethox-${Deno.pid}`;
  return await orInNamespace(tryOpening({ kind, name, ...(offload === undefined ? {} : { offload }) }));
}

/** The problem, and where the same works nevertheless. */
async function orInNamespace(problem: string | undefined): Promise<string | undefined> {
  if (problem === undefined) return undefined;
  const { prefix } = await namespaceSupport();
  return prefix === undefined ? problem : `${problem}; here this works: ${prefix.join(" ")} ethox ...`;
}

function tryOpening(spec: NicSpec): string | undefined {
  return problemOf(() => {
    const { nic, peer } = openNic(spec, { create: true });
    nic.close();
    peer?.close();
  });
}

/** Why a NIC cannot be had; undefined: it can. */
function problemOf(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    // Without the name, which is that of an interface that was there for the attempt only.
    if (error instanceof NicError) return error.message.slice(`${error.nic}: `.length);
    throw error;
  }
}

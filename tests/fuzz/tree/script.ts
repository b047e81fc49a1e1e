/**
 * What happens to a fuzzed host, as text: a profile, then steps.
 *
 * ```text
 * host plain
 * rx 0200... ffff...      frames that arrive together
 * wait 1000000            microseconds pass
 * say 10.0.0.9 53 20      the program has 20 bytes for port 53 of 10.0.0.9
 * tx 4                    the NIC asks for up to 4 frames
 * ```
 *
 * @module
 */
import { Address } from "../../../stack/wire/address.ts";
import { type Codec, fromHex, linesOf } from "../codec.ts";
import { isProfile, type ProfileName } from "./profiles.ts";

/** One thing that happens. */
export type Step =
  | { readonly kind: "rx"; readonly frames: readonly Uint8Array[] }
  | { readonly kind: "wait"; readonly time: number }
  | { readonly kind: "say"; readonly to: string; readonly port: number; readonly length: number }
  | { readonly kind: "tx"; readonly max: number };

/** A host and what happens to it. */
export interface Script {
  readonly profile: ProfileName;
  readonly steps: readonly Step[];
}

/** Scripts as text. */
export const SCRIPT: Codec<Script> = { extension: "txt", format, parse };

function format({ profile, steps }: Script): string {
  return [`host ${profile}`, ...steps.map(formatStep)].join("\n");
}

function formatStep(step: Step): string {
  switch (step.kind) {
    case "rx":
      return ["rx", ...step.frames.map((frame) => frame.length === 0 ? "-" : frame.toHex())].join(" ");
    case "wait":
      return `wait ${step.time}`;
    case "say":
      return `say ${step.to} ${step.port} ${step.length}`;
    case "tx":
      return `tx ${step.max}`;
  }
}

function parse(text: string): Script {
  const [first = "", ...rest] = linesOf(text);
  const profile = first.split(" ")[1] ?? "";
  if (!first.startsWith("host ") || !isProfile(profile)) {
    throw new SyntaxError(`no host's profile: "${first}"`);
  }
  return { profile, steps: rest.map(parseStep) };
}

function parseStep(line: string): Step {
  const [kind, ...words] = line.split(/\s+/);
  if (kind === "rx") return { kind, frames: words.map((word) => fromHex(word === "-" ? "" : word)) };
  if (kind === "wait") return { kind, time: Number(words[0]) };
  if (kind === "tx") return { kind, max: Number(words[0]) };
  if (kind !== "say") throw new SyntaxError(`no step: "${line}"`);
  return {
    kind,
    to: Address.parse(words[0] ?? "").toString(),
    port: Number(words[1]),
    length: Number(words[2]),
  };
}

/**
 * Faults as a command line names them: `loss=1%,delay=5ms,rate=10mbit,seed=1`.
 *
 * @module
 */
import type { GilbertElliott, Pulse } from "../../stack/loss/models.ts";
import { checkFaults, type Faults } from "./faults.ts";

/** The faults of both directions of a NIC. */
export interface LinkFaults {
  /** What befalls received frames. */
  readonly ingress: Faults;
  /** What befalls sent frames. */
  readonly egress: Faults;
}

/** Every part that {@linkcode parseFaults} takes, with what it means. */
export const FAULT_PARTS: readonly { readonly form: string; readonly meaning: string }[] = [
  { form: "loss=SHARE", meaning: "frames lost at random" },
  {
    form: "pulse=THRESHOLD/COUNT/RESET[/SHARE]",
    meaning: "of every RESET frames, those behind THRESHOLD are lost",
  },
  {
    form: "burst=SHARE/SHARE[/SHARE[/SHARE]]",
    meaning: "loss in bursts: to bad, to good, loss in bad, in good",
  },
  { form: "dup=SHARE", meaning: "frames that arrive twice" },
  { form: "reorder=SHARE", meaning: "frames that others overtake" },
  { form: "corrupt=SHARE", meaning: "frames with one bit flipped" },
  { form: "delay=TIME", meaning: "how long frames travel" },
  { form: "jitter=TIME", meaning: "by how much that differs" },
  { form: "rate=RATE", meaning: "bits a second" },
  { form: "queue=FRAMES", meaning: "frames that may wait for the rate" },
  { form: "ecn=FRAMES", meaning: "waiting frames from which ECN marks" },
  { form: "mtu=BYTES", meaning: "the longest payload that passes" },
  { form: "seed=NUMBER", meaning: "where the randomness starts" },
  { form: "down", meaning: "nothing passes" },
];

/** The fields of a {@linkcode Faults} while it is being read. */
type Draft = { -readonly [K in keyof Faults]: Faults[K] };

const SHARE = "a share such as 1% or 0.01, at most 100%";
const TIME = "a time such as 5ms, 250us or 1s";
const RATE = "a rate such as 10mbit, 64kbit or 1gbit";
const COUNT = "a whole number";

const TIME_UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1_000, s: 1_000_000 };
const RATE_UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/** What reads each part's value into a draft, and answers with what is allowed if it cannot. */
const READERS: Readonly<Record<string, (draft: Draft, value: string) => string | undefined>> = {
  loss: (draft, value) => take(share(value), SHARE, (number) => draft.loss = number),
  dup: (draft, value) => take(share(value), SHARE, (number) => draft.duplicate = number),
  reorder: (draft, value) => take(share(value), SHARE, (number) => draft.reorder = number),
  corrupt: (draft, value) => take(share(value), SHARE, (number) => draft.corrupt = number),
  delay: (draft, value) => take(amount(value, TIME_UNITS), TIME, (number) => draft.delay = number),
  jitter: (draft, value) => take(amount(value, TIME_UNITS), TIME, (number) => draft.jitter = number),
  rate: (draft, value) => take(amount(value, RATE_UNITS), RATE, (number) => draft.rate = number),
  queue: (draft, value) => take(whole(value), COUNT, (number) => draft.queue = number),
  ecn: (draft, value) => take(whole(value), COUNT, (number) => draft.ecn = number),
  mtu: (draft, value) => take(whole(value), COUNT, (number) => draft.mtu = number),
  seed: (draft, value) => take(whole(value), COUNT, (number) => draft.seed = number),
  pulse: (draft, value) => {
    const form = "THRESHOLD/COUNT/RESET or THRESHOLD/COUNT/RESET/SHARE, such as 90/0/100/50%";
    return take(pulse(value), form, (read) => draft.pulse = read);
  },
  burst: (draft, value) => {
    const form = "two to four shares: to bad/to good[/loss in bad[/loss in good]], such as 1%/25%";
    return take(burst(value), form, (read) => draft.burst = read);
  },
};

/**
 * Reads faults: parts with commas between. A part holds for both directions; behind `in.` only for received frames,
 * behind `out.` only for sent ones.
 *
 * @throws {SyntaxError} of one line: what is wrong, in which part, and what is allowed.
 */
export function parseFaults(text: string): LinkFaults {
  const ingress: Draft = {};
  const egress: Draft = {};
  const seen = new Set<string>();
  for (const part of text.split(",")) {
    const [, direction = "", name = "", value] = /^(in\.|out\.)?([^=]*)(?:=(.*))?$/s.exec(part.trim()) ?? [];
    const targets = direction === "in." ? [ingress] : direction === "out." ? [egress] : [ingress, egress];
    for (const draft of targets) {
      const key = `${draft === ingress ? "in" : "out"}.${name}`;
      if (seen.has(key)) throw new SyntaxError(`fault "${part}": ${name} is given twice; write it once`);
      seen.add(key);
      readPart(draft, part, name, value);
    }
  }
  return { ingress: checked(ingress, text), egress: checked(egress, text) };
}

function readPart(draft: Draft, part: string, name: string, value: string | undefined): void {
  if (name === "down") {
    if (value !== undefined) throw new SyntaxError(`fault "${part}": down takes no value; write down`);
    draft.down = true;
    return;
  }
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (reader === undefined) {
    const names = [...Object.keys(READERS), "down"].join(", ");
    throw new SyntaxError(`fault "${part}": there is no fault "${name}"; there are ${names}`);
  }
  if (value === undefined) throw new SyntaxError(`fault "${part}": no value; write ${name}=VALUE`);
  const allowed = reader(draft, value);
  if (allowed !== undefined) throw new SyntaxError(`fault "${part}": ${name} must be ${allowed}`);
}

/** The draft, if its values fit in their ranges and together. */
function checked(draft: Draft, text: string): Faults {
  try {
    return checkFaults(draft);
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError(`faults "${text}": ${error.message}`);
    throw error;
  }
}

/** Stores a value; answers with what is allowed if there is none. */
function take<T>(value: T | undefined, allowed: string, store: (value: T) => void): string | undefined {
  if (value === undefined) return allowed;
  store(value);
  return undefined;
}

/** A share: a percentage or a fraction. */
function share(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) / (match[2] === "%" ? 100 : 1);
  return value <= 1 ? value : undefined;
}

/** A number with one of these units, as a whole number of the smallest. */
function amount(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)([a-z]+)$/.exec(text);
  const unit = match === null || !Object.hasOwn(units, match[2]!) ? undefined : units[match[2]!];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

function whole(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function pulse(text: string): Pulse | undefined {
  const parts = text.split("/");
  const [threshold, count, reset] = parts.slice(0, 3).map(whole);
  if (threshold === undefined || count === undefined || reset === undefined || parts.length > 4) {
    return undefined;
  }
  if (parts.length === 3) return { threshold, count, reset };
  const rate = share(parts[3]!);
  return rate === undefined ? undefined : { threshold, count, reset, rate };
}

function burst(text: string): GilbertElliott | undefined {
  const shares = text.split("/").map(share);
  if (shares.length < 2 || shares.length > 4 || shares.includes(undefined)) return undefined;
  const [toBad, toGood, badRate, goodRate] = shares;
  return { toBad: toBad!, toGood: toGood!, badRate: badRate ?? 1, goodRate: goodRate ?? 0 };
}

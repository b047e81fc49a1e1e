/**
 * Segments of two connections in bursts, with any field off and any byte of a frame changed, to a host that joins those in
 * a row and to one that does not: all that can be seen of both is the same.
 *
 * The first byte says how the hosts stand, each two others what comes next.
 *
 * @module
 */
import { Flag } from "../../../stack/wire/tcp.ts";
import { fc } from "../../support/property.ts";
import { type Behaviour, type Data, Twins, WAYS } from "../../support/run-twins.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

const FULL = 988;

const BEHAVIOURS: readonly Behaviour[] = [{}, { echoes: true }, { isIdle: true }];

/** What a segment may be instead of full and in order; the number is an input's byte. */
const ODD: readonly ((byte: number) => Partial<Data>)[] = [
  (flags) => ({ flags }),
  (flags) => ({ flags: flags | Flag.Ack, length: flags & 1 }),
  (byte) => ({ length: byte * 4 }),
  (byte) => ({ offset: (byte - 128) * 8 }),
  (byte) => ({ offset: (byte % 5 - 2) * FULL }),
  (byte) => ({ acknowledges: (byte - 128) * 8 }),
  (byte) => ({ window: byte * 257 }),
  (byte) => ({ timestamp: byte === 0 ? null : 900 + byte }),
  (byte) => ({ trafficClass: byte }),
  (byte) => ({ hopLimit: byte }),
  (byte) => ({ padding: byte % 30, length: byte % 3 === 0 ? 3 : FULL }),
  (byte) => ({ damage: byte % 2 === 0 ? "tcp" : "ip" }),
  (byte) => ({ sack: true, urgent: byte }),
];

function run(input: Uint8Array): void {
  const [how = 0, ...rest] = input;
  const twins = new Twins(
    WAYS[how % WAYS.length]!,
    BEHAVIOURS[(how >> 2) % BEHAVIOURS.length],
    (how & 64) === 0,
  );
  const ports = [5_000, 5_001];
  for (const port of ports) twins.open(port, (how & 128) === 0 ? 1 : -2_500);
  let frames: Uint8Array[] = [], port = ports[0]!;
  for (let at = 0; at + 1 < rest.length && at < 160; at += 2) {
    const what = rest[at]!, byte = rest[at + 1]!;
    const last = frames.at(-1);
    if (what < 128) frames.push(twins.frame({ length: FULL, identification: byte, port }));
    else if (what < 160) frames.push(twins.frame({ length: FULL, port, ...ODD[what % ODD.length]!(byte) }));
    else if (what < 192 && last !== undefined) last[(what % 32) * 2 + (byte >> 7)]! ^= byte & 0x7f;
    else if (what < 208 && last !== undefined) frames.push(last.slice(0, last.length - byte));
    else if (what < 224) port = ports[byte & 1]!;
    else {
      twins.deliver(frames);
      frames = [];
      twins.burst([], byte * 1_000);
    }
  }
  twins.deliver(frames);
}

const step = fc.tuple(
  fc.oneof(
    { weight: 6, arbitrary: fc.nat(127) },
    { weight: 2, arbitrary: fc.integer({ min: 128, max: 159 }) },
    { weight: 1, arbitrary: fc.integer({ min: 160, max: 223 }) },
    { weight: 1, arbitrary: fc.integer({ min: 224, max: 255 }) },
  ),
  fc.nat(255),
);

/** The target. */
export const joining = target({
  name: "joining",
  runs: 80,
  codec: HEX,
  input: fc.tuple(fc.nat(255), fc.array(step, { maxLength: 60 })).map(([how, steps]) =>
    Uint8Array.from([how, ...steps.flat()])
  ),
  run,
});

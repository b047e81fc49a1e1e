/**
 * UDP's bindings, held against a list that is searched from end to end.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { type Binding, Bindings, type BindOptions } from "../../../stack/udp/bindings.ts";
import { Address } from "../../../stack/wire/address.ts";
import { fc } from "../../support/property.ts";
import { type Codec, linesOf } from "../codec.ts";
import { target } from "../target.ts";

/** Addresses and ports are so few that they meet; 0 stands for none. */
type Operation =
  | readonly ["bind", port: number, own: number, peer: number, peerPort: number]
  | readonly ["close", index: number]
  | readonly ["find", port: number, own: number, peer: number, peerPort: number];

const OPERATIONS: Codec<readonly Operation[]> = {
  extension: "txt",
  format: (list) => list.map((operation) => operation.join(" ")).join("\n"),
  parse: (text) =>
    linesOf(text).map((line): Operation => {
      const [kind, ...words] = line.split(" ");
      const [a = 0, b = 0, c = 0, d = 0] = words.map(Number);
      if (kind === "close") return [kind, a];
      if (kind === "bind" || kind === "find") return [kind, a, b, c, d];
      throw new SyntaxError(`no operation: "${line}"`);
    }),
};

interface Known {
  readonly binding: Binding;
  readonly own: number;
  readonly peer: number;
  readonly peerPort: number;
}

const FIRST_FREE = 49_152;

function addressOf(number: number): Address {
  return new Address().setV4(0x0a000000 | number);
}

function optionsOf(port: number, own: number, peer: number, peerPort: number): BindOptions {
  return {
    port,
    ...(own === 0 ? {} : { address: addressOf(own) }),
    ...(peer === 0 ? {} : { peer: { address: addressOf(peer), port: peerPort } }),
  };
}

function run(operations: readonly Operation[]): void {
  const bindings = new Bindings([7, 0, 0, 0]);
  let known: Known[] = [];
  for (const operation of operations) {
    switch (operation[0]) {
      case "bind": {
        const [, port, own, peer, peerPort] = operation;
        const isTaken = known.some((one) =>
          port === one.binding.port && own === one.own && peer === one.peer &&
          (peer === 0 || peerPort === one.peerPort)
        );
        const binding = bind(bindings, port, optionsOf(port, own, peer, peerPort));
        if (port > 0xffff) equal(binding, "refused");
        else equal(typeof binding === "object", port === 0 || !isTaken, "a claim is taken once");
        if (typeof binding !== "object") break;
        ok(port === 0 ? binding.port >= FIRST_FREE : binding.port === port, `port ${binding.port}`);
        ok(port !== 0 || known.every((one) => one.binding.port !== binding.port), "a free port is free");
        known.push({ binding, own, peer, peerPort });
        break;
      }
      case "close": {
        const one = known[operation[1] % Math.max(1, known.length)];
        one?.binding.close();
        one?.binding.close();
        known = known.filter((other) => other !== one);
        break;
      }
      case "find": {
        const [, port, own, peer, peerPort] = operation;
        const found = bindings.find(port, addressOf(own), addressOf(peer), peerPort);
        equal(found, search(known, port, own, peer, peerPort), "the closest binding is found");
        break;
      }
    }
    for (const { binding } of known) {
      ok(bindings.at(binding.port).includes(binding), "a binding stays until it is closed");
    }
  }
  for (const { binding } of known) binding.close();
  for (const { binding } of known) equal(bindings.at(binding.port).length, 0, "a closed port has no binding");
}

function bind(bindings: Bindings, port: number, options: BindOptions): Binding | "refused" | undefined {
  try {
    return bindings.add(options, () => {});
  } catch (error) {
    ok(error instanceof RangeError && port > 0xffff, `${error}`);
    return "refused";
  }
}

/** The first of those that match best: connected goes before bound to an address, both before either. */
function search(
  known: readonly Known[],
  port: number,
  own: number,
  peer: number,
  peerPort: number,
): Binding | undefined {
  const matching = known.filter((one) =>
    one.binding.port === port && (one.own === 0 || one.own === own) &&
    (one.peer === 0 || (one.peer === peer && one.peerPort === peerPort))
  );
  const score = (one: Known) => (one.peer === 0 ? 0 : 2) + (one.own === 0 ? 0 : 1);
  const best = Math.max(...matching.map(score));
  return matching.find((one) => score(one) === best)?.binding;
}

const port = fc.constantFrom(0, 7, 8, FIRST_FREE + 7, FIRST_FREE + 8, 65_535, 65_536);
const small = fc.nat(2);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(fc.constant("bind" as const), port, small, small, small),
  fc.tuple(fc.constant("find" as const), port, small, small, small),
  fc.tuple(fc.constant("close" as const), fc.nat(9)),
);

/** Bindings made, closed and searched. */
export const bindings = target({
  name: "bindings",
  runs: 4_000,
  codec: OPERATIONS,
  input: fc.array(operation, { maxLength: 16 }),
  run,
});

import { deepEqual, equal } from "node:assert/strict";
import { PrefixTrie } from "../../../stack/store/prefix-trie.ts";
import { check, fc } from "../../support/property.ts";

type Key = readonly [number, number, number, number];

/** Words of few different bits, so that prefixes often cover each other. */
const word = fc.constantFrom(0, -1, 1, 0x8000_0000 | 0, 0x5555_5555, 0x5555_0000, 0xffff);
const key: fc.Arbitrary<Key> = fc.tuple(word, word, word, word);
const prefix = fc.tuple(key, fc.integer({ min: 0, max: 128 }));

const asBits = (words: Key) => words.map((part) => (part >>> 0).toString(2).padStart(32, "0")).join("");

Deno.test("prefix trie: any changes leave what a list of prefixes would find", () => {
  const step = fc.record({ prefix, kind: fc.constantFrom("set", "set", "delete") });
  check(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(key, { maxLength: 10 }), (steps, keys) => {
      const trie = new PrefixTrie<number>();
      const model = new Map<string, number>();
      steps.forEach(({ prefix: [words, bits], kind }, index) => {
        const name = asBits(words).slice(0, bits);
        if (kind === "set") {
          trie.set(...words, bits, index);
          model.set(name, index);
        } else equal(trie.delete(...words, bits), model.delete(name));
        equal(trie.get(...words, bits), model.get(name));
        equal(trie.size, model.size);
      });
      for (const words of [...keys, ...steps.map((one) => one.prefix[0])]) {
        for (const most of [128, 127, 64, 33, 32, 1, 0]) {
          const text = asBits(words);
          const longest = [...model.keys()].filter((name) => name.length <= most && text.startsWith(name))
            .sort((one, other) => other.length - one.length)[0];
          const found = trie.longest(...words, most);
          equal(found?.value, longest === undefined ? undefined : model.get(longest));
          equal(found?.bits, longest?.length);
        }
      }
      deepEqual([...trie.values()].sort(), [...model.values()].sort());
    }),
    { runs: 300 },
  );
});

Deno.test("prefix trie: values come in the order of their bits, a shorter prefix before those it covers", () => {
  const trie = new PrefixTrie<string>();
  trie.set(0x4000_0000, 0, 0, 0, 2, "01");
  trie.set(0, 0, 0, 0, 2, "00");
  trie.set(0, 0, 0, 0, 0, "");
  trie.set(0x8000_0000 | 0, 0, 0, 0, 1, "1");
  deepEqual([...trie.values()], ["", "00", "01", "1"]);
});

Deno.test("prefix trie: bits behind the prefix are ignored, and a whole key is a prefix of 128 bits", () => {
  const trie = new PrefixTrie<string>();
  trie.set(1, 2, 3, 4, 32, "one word");
  equal(trie.longest(1, -1, -1, -1)?.value, "one word");
  trie.set(1, 2, 3, 4, 128, "whole");
  equal(trie.longest(1, 2, 3, 4)?.value, "whole");
  equal(trie.longest(1, 2, 3, 5)?.value, "one word");
});

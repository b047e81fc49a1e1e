import { deepStrictEqual, doesNotThrow, throws } from "node:assert/strict";
import { checkFaults, type Faults } from "../../../nic/link/faults.ts";
import { FAULT_PARTS, parseFaults } from "../../../nic/link/parse.ts";
import { check, fc } from "../../support/property.ts";

const both = (faults: Faults) => ({ ingress: faults, egress: faults });

Deno.test("faults: every part of the command's form is read", () => {
  deepStrictEqual(
    parseFaults("loss=1%,dup=0.1%,reorder=2%,corrupt=.5%,delay=5ms,jitter=250us,rate=10mbit,seed=1"),
    both({
      loss: 0.01,
      duplicate: 0.001,
      reorder: 0.02,
      corrupt: 0.005,
      delay: 5_000,
      jitter: 250,
      rate: 10_000_000,
      seed: 1,
    }),
  );
  deepStrictEqual(
    parseFaults("rate=64kbit,queue=10,ecn=5,mtu=1280,down,seed=0"),
    both({ rate: 64_000, queue: 10, ecn: 5, mtu: 1_280, down: true, seed: 0 }),
  );
});

Deno.test("faults: a share is a percentage or a fraction, a time and a rate have a unit", () => {
  deepStrictEqual(parseFaults("loss=0.25"), both({ loss: 0.25 }));
  deepStrictEqual(parseFaults("loss=100%"), both({ loss: 1 }));
  deepStrictEqual(parseFaults("loss=0"), both({ loss: 0 }));
  deepStrictEqual(parseFaults("delay=1.5s"), both({ delay: 1_500_000 }));
  deepStrictEqual(parseFaults("rate=2.5gbit"), both({ rate: 2_500_000_000 }));
  deepStrictEqual(parseFaults("rate=9600bit"), both({ rate: 9_600 }));
});

Deno.test("faults: a pulse is threshold/count/reset/rate, a burst two to four shares", () => {
  deepStrictEqual(
    parseFaults("pulse=90/5/100/50%"),
    both({ pulse: { threshold: 90, count: 5, reset: 100, rate: 0.5 } }),
  );
  deepStrictEqual(parseFaults("pulse=90/0/100"), both({ pulse: { threshold: 90, count: 0, reset: 100 } }));
  deepStrictEqual(
    parseFaults("burst=1%/25%"),
    both({ burst: { toBad: 0.01, toGood: 0.25, badRate: 1, goodRate: 0 } }),
  );
  deepStrictEqual(
    parseFaults("burst=1%/25%/90%/0.1%"),
    both({ burst: { toBad: 0.01, toGood: 0.25, badRate: 0.9, goodRate: 0.001 } }),
  );
});

Deno.test("faults: in. and out. name one direction", () => {
  deepStrictEqual(parseFaults("in.loss=10%,out.delay=1ms,seed=3"), {
    ingress: { loss: 0.1, seed: 3 },
    egress: { delay: 1_000, seed: 3 },
  });
});

Deno.test("faults: what cannot be read is told in one line, with the part and what is allowed", () => {
  const wrong: readonly [string, RegExp][] = [
    ["loss=200%", /^fault "loss=200%": loss must be a share such as 1% or 0\.01, at most 100%$/],
    ["loss=-1%", /loss must be a share/],
    ["loss=", /loss must be a share/],
    ["loss", /no value; write loss=VALUE$/],
    ["delay=1ms,loss=x", /^fault "loss=x": loss must be/],
    ["delay=5", /^fault "delay=5": delay must be a time such as 5ms/],
    ["delay=5min", /delay must be a time/],
    ["rate=fast", /rate must be a rate such as 10mbit/],
    ["rate=0bit", /rate must be a whole number of bits a second from 1 to/],
    ["queue=10", /^faults "queue=10": queue needs a rate/],
    ["rate=1mbit,queue=0", /queue must be a whole number of frames from 1/],
    ["ecn=3", /ecn needs a rate, unless it is 0/],
    ["mtu=10", /mtu must be a whole number of bytes from 68 to 65535, not 10$/],
    ["seed=-1", /seed must be a whole number/],
    ["pulse=1/2", /pulse must be THRESHOLD\/COUNT\/RESET/],
    ["pulse=9/0/5", /a pulse's threshold must be from 0 to its reset 5, not 9$/],
    ["burst=1%", /burst must be two to four shares/],
    ["burst=1%/2%/3%/4%/5%", /burst must be two to four shares/],
    ["lost=1%", /^fault "lost=1%": there is no fault "lost"; there are loss, dup, /],
    ["toString=1", /there is no fault "toString"/],
    ["delay=1constructor", /delay must be a time/],
    ["", /^fault "": there is no fault ""/],
    ["loss=1%,,", /there is no fault ""/],
    ["loss=1%,loss=2%", /^fault "loss=2%": loss is given twice/],
    ["in.loss=1%,loss=2%", /loss is given twice/],
    ["down=1", /down takes no value/],
    ["delay=2h,loss=1%", /delay must be a time/],
    ["delay=4000s", /delay must be a whole number of microseconds from 0 to 3600000000, not 4000000000$/],
  ];
  for (const [text, message] of wrong) {
    throws(() => parseFaults(text), (error: unknown) => {
      return error instanceof SyntaxError && message.test(error.message) && !error.message.includes("\n");
    }, `"${text}"`);
  }
});

Deno.test("faults: any text is read or refused with a SyntaxError", () => {
  const part = fc.tuple(
    fc.constantFrom("loss", "dup", "delay", "rate", "queue", "pulse", "burst", "down", "in.mtu", "x", ""),
    fc.constantFrom("", "=", "=1", "=1%", "=1ms", "=1mbit", "=1/2/3", "=-1", "=1e9", "=%", "=1/1%"),
  ).map(([name, value]) => name + value);
  const text = fc.oneof(fc.string(), fc.array(part, { maxLength: 5 }).map((parts) => parts.join(",")));
  check(
    fc.property(text, (text) => {
      try {
        parseFaults(text);
        return true;
      } catch (error) {
        return error instanceof SyntaxError;
      }
    }),
    { runs: 500 },
  );
});

Deno.test("faults: the list of forms names every part that is read, and no other", () => {
  for (const { form } of FAULT_PARTS) {
    const name = form.split("=")[0]!;
    throws(() => parseFaults(`${name}=?`), (error: Error) => !error.message.includes("there is no fault"));
  }
});

Deno.test("faults: values out of range are refused with the field's name", () => {
  const wrong: readonly [Faults, RegExp][] = [
    [{ loss: 1.01 }, /^loss must be a share from 0 to 1, not 1\.01$/],
    [{ loss: -0.1 }, /^loss/],
    [{ duplicate: NaN }, /^duplicate must be a share from 0 to 1, not NaN$/],
    [{ reorder: 2 }, /^reorder/],
    [{ corrupt: Infinity }, /^corrupt/],
    [{ delay: 0.5 }, /^delay must be a whole number of microseconds/],
    [{ delay: -1 }, /^delay/],
    [{ jitter: Infinity }, /^jitter/],
    [{ rate: 0 }, /^rate/],
    [{ rate: 1.5 }, /^rate/],
    [{ rate: 1, queue: 0 }, /^queue/],
    [{ queue: 5 }, /^queue needs a rate/],
    [{ rate: 1, ecn: -1 }, /^ecn/],
    [{ mtu: 0 }, /^mtu/],
    [{ seed: 0.1 }, /^seed/],
    [{ burst: { toBad: 2, toGood: 1 } }, /^burst: the probability of turning bad must be from 0 to 1/],
    [{ pulse: { threshold: 1, reset: 0 } }, /pulse's reset/],
  ];
  for (const [faults, message] of wrong) {
    throws(() => checkFaults(faults), { name: "RangeError", message });
  }
  doesNotThrow(() => checkFaults({ loss: 0, delay: 0, ecn: 0, seed: -5, mtu: 68 }));
});

import { deepEqual, equal, throws } from "node:assert/strict";
import { cutSpec, joinSpec } from "../../../nic/spec-options.ts";
import { NicError } from "../../../nic/error.ts";
import { formatNicSpec, NIC_SPECS, parseNicSpec } from "../../../nic/spec.ts";

const options = (text: string) => cutSpec(text).options;

Deno.test("nic specification: it is a kind, a name and options behind commas, in any order", () => {
  const { kind, name, options } = cutSpec("card:eth0.7,mode=drv,queue=3,promisc=on");
  deepEqual([kind, name], ["card", "eth0.7"]);
  equal(options.toggle("promisc"), true);
  equal(options.count("queue", 0, 9), 3);
  equal(options.choice("mode", ["skb", "drv"]), "drv");
  equal(options.toggle("other"), undefined);
  options.finish();
});

Deno.test("nic specification: an option that the kind does not know is refused with those it knows", () => {
  const given = options("card:eth0,qeue=3");
  equal(given.count("queue", 0, 9), undefined);
  equal(given.choice("mode", ["skb", "drv"]), undefined);
  throws(() => given.finish(), {
    name: "SyntaxError",
    message: '"card:eth0,qeue=3": this kind of NIC has no option qeue; it has queue, mode',
  });
  throws(() => parseNicSpec("link:,mtu=9"), /this kind of NIC has no option mtu; it has none/);
});

Deno.test("nic specification: a value that is not allowed is refused with those that are", () => {
  throws(() => options("a:b,m=x").choice("m", ["skb", "drv"]), /m=x is not allowed; write m=skb or m=drv/);
  throws(() => options("a:b,p=yes").toggle("p"), /p=yes is not allowed; write p=on or p=off/);
  for (const value of ["", "-1", "10", "1e0", "01", "1.0", " 1", "٣", "9999999999"]) {
    throws(() => options(`a:b,q=${value}`).count("q", 0, 9), /write a whole number from 0 to 9/, value);
  }
});

Deno.test("nic specification: a part without a key or without a value, and a key given twice, are refused", () => {
  for (const part of ["", "on", "=on"]) {
    throws(() => cutSpec(`a:b,${part}`), /is no option; write KEY=VALUE/, part);
  }
  throws(() => cutSpec("a:b,q=1,q=1"), /q is given twice; write it once/);
  equal(options("a:b,q==1=").choice("q", ["=1="]), "=1=");
});

Deno.test("nic specification: what is written is read as the same", () => {
  equal(
    joinSpec({ kind: "card", name: "eth0", promisc: true, log: false, queue: 0, mode: undefined }),
    "card:eth0,promisc=on,log=off,queue=0",
  );
  for (const text of ["tap:tap0", "tap:tap0,offload=off", "tun:tun0,offload=on,threaded=off", "link:"]) {
    equal(formatNicSpec(parseNicSpec(text)), text);
  }
});

Deno.test("nic specification: the name is checked before anything is opened", () => {
  for (const name of ["", "a/b", "a b", ".", "sixteen-letters-"]) {
    throws(() => parseNicSpec(`tap:${name}`), NicError, name);
  }
});

Deno.test("nic specification: what names no kind is answered with all forms", () => {
  for (const text of ["", "tap", ":", "eth0", "TAP:tap0", "toString:x", "link:x"]) {
    throws(() => parseNicSpec(text), (error) => {
      return error instanceof SyntaxError && NIC_SPECS.every(({ form }) => error.message.includes(form));
    }, text);
  }
});

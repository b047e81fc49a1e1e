import { equal, match, ok, throws } from "node:assert/strict";
import { openNic } from "../../../nic/open.ts";

Deno.test("open: a NIC is opened by its specification, read or as it is written", () => {
  for (const spec of ["link:", { kind: "link" }] as const) {
    const opened = openNic(spec);
    const { nic, peer, kernelMac, isUp } = opened;
    equal(nic.name, "link:0");
    equal(peer?.name, "link:1");
    equal(kernelMac, undefined);
    ok(isUp());
    ok(nic.now() > 0, "a wire in memory has a clock that runs");
    {
      using _both = opened;
    }
    match(String(nic.failure), /closed/);
    match(String(peer?.failure), /closed/);
  }
});

Deno.test("open: what names no NIC is refused, and so is a name that no interface can have", () => {
  throws(() => openNic("eth0"), { name: "SyntaxError", message: /"eth0" names no NIC: write tap:NAME/ });
  throws(() => openNic("tap:a/b"), { name: "NicError", kind: "invalid" });
});

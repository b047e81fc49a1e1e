import { deepEqual } from "node:assert/strict";
import { BpfProgram } from "../../../nic/filter/program.ts";
import { filter } from "../../../nic/filter/filter.ts";
import { Claim } from "../../../nic/claim.ts";
import type { Claimed } from "../../../nic/device.ts";
import { External } from "../../../nic/external.ts";
import { observe } from "../../../nic/observe.ts";
import { Addresses } from "../../../stack/host/addresses.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { OWN_MAC } from "../../support/frames.ts";

class Claiming extends External {
  readonly claims: string[] = [];

  claim(mac: Mac, addresses: Iterable<Claimed>): void {
    this.claims.push(`${mac}: ${Array.from(addresses, ({ address }) => String(address)).join(" ")}`);
  }
}

Deno.test("claim: a NIC is told at once whom it is for, and again when addresses change, through wrappers too", () => {
  const nic = new Claiming();
  const wrapped = observe(filter(nic, new BpfProgram("{ 0x6, 0, 0, 1 }")), () => {});
  const addresses = new Addresses(["10.0.0.1/24"]);
  const claim = new Claim(wrapped, Mac.parse(OWN_MAC), addresses);
  claim.follow();
  addresses.add("10.0.0.5/24");
  claim.follow();
  claim.follow();
  addresses.remove(Address.parse("10.0.0.1"));
  claim.follow();
  deepEqual(nic.claims, [
    `${OWN_MAC}: 10.0.0.1`,
    `${OWN_MAC}: 10.0.0.1 10.0.0.5`,
    `${OWN_MAC}: 10.0.0.5`,
  ]);
});

Deno.test("claim: a NIC that has failed, or has no use for it, is not told", () => {
  const nic = new Claiming();
  const addresses = new Addresses();
  const claim = new Claim(nic, Mac.parse(OWN_MAC), addresses);
  nic.close();
  addresses.add("10.0.0.5/24");
  claim.follow();
  deepEqual(nic.claims, [`${OWN_MAC}: `]);
  new Claim(new External(), Mac.parse(OWN_MAC), addresses).follow();
});

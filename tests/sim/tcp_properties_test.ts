/** Transfers under every mix of faults: the properties that make TCP what it is. */
import { check, fc } from "../support/property.ts";
import { anyScenario, runScenario } from "../support/tcp-scenario.ts";

Deno.test("tcp: whatever the network and the users do, all bytes arrive in order, in time, and nothing is left", () => {
  check(fc.property(anyScenario, (scenario) => void runScenario(scenario)), { runs: 2_000 });
});

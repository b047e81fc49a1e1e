import { coreTests } from "../support/core.ts";
import { source } from "../support/ethox.ts";

coreTests(source);

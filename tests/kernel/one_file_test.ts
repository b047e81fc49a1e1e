import { coreTests } from "../support/core.ts";
import { oneFile } from "../support/ethox.ts";

coreTests(oneFile);

/**
 * Floods a UDP echo service for some seconds, from a process of its own.
 *
 * `deno run -A tests/bench/nics-client.ts ADDRESS SECONDS`: a line of JSON.
 *
 * @module
 */
import { Client } from "./tap-client.ts";

const OUTSTANDING = 64, DATA = 18;

const [address = "", seconds = ""] = Deno.args;
console.log(JSON.stringify(new Client("udp", address, DATA).flood(OUTSTANDING, Number(seconds))));

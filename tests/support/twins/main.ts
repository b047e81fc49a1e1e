/**
 * Runs the scripts on one side: `deno run -A --unstable-net tests/support/twins/main.ts deno|stack`. Prints what each saw, as
 * JSON. It is a program of its own for the flag, without which Deno has no `listenDatagram`.
 *
 * @module
 */
import { Stack } from "../../../sockets/stack.ts";
import { APPLIANCE, KERNEL, PREFIX, TAP } from "../cables.ts";
import { peer } from "../peer.ts";
import { CONNECTIONS } from "./connections.ts";
import { DATAGRAMS } from "./datagrams.ts";
import { OPENING } from "./opening.ts";
import { SERVING } from "./serving.ts";
import { named, type Seen, type Side, type Sockets, soon } from "./side.ts";
import { STREAMS } from "./streams.ts";

const ALL = { ...CONNECTIONS, ...STREAMS, ...OPENING, ...DATAGRAMS, ...SERVING };

/** How long a script may take, in milliseconds. */
const LIMIT = 20_000;

async function runAll(side: Side, filter: string): Promise<Record<string, Seen>> {
  const all: Record<string, Seen> = {};
  for (const [name, script] of Object.entries(ALL)) {
    if (!name.includes(filter)) continue;
    const limit = soon(LIMIT).then(() => ({ "does not end": LIMIT }));
    all[name] = await Promise.race([script(side), limit]).catch((error) => ({
      failed: `${named(error)} ${error.stack}`,
    }));
  }
  return all;
}

async function onStack(filter: string): Promise<Record<string, Seen>> {
  await using stack = await Stack.open({ nic: `tap:${TAP}`, addresses: [`${APPLIANCE}${PREFIX}`] });
  // Linux drops for a moment after the cable is put in.
  while ((await peer("ping", ["-c", "1", "-W", "1", "-n", APPLIANCE])).code !== 0);
  const sockets = stack as unknown as Sockets;
  return await runAll({ sockets, own: APPLIANCE, peer: KERNEL }, filter);
}

function onDeno(filter: string): Promise<Record<string, Seen>> {
  const { connect, listen, serve, listenDatagram } = Deno as unknown as Sockets;
  const sockets: Sockets = {
    connect,
    listen,
    serve,
    listenDatagram: (options) => listenDatagram({ transport: "udp", ...options }),
  };
  return runAll({ sockets, own: KERNEL, peer: KERNEL }, filter);
}

const [side, filter = ""] = Deno.args;
// What servers and handlers say of errors is not compared.
console.error = console.log = () => {};
const all = await (side === "stack" ? onStack(filter) : onDeno(filter));
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(all)));
Deno.exit(0);

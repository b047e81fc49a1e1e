/**
 * Two hosts in one process, on a wire in memory: a web server with sockets, and node:http that asks it. Needs no
 * interface and no permission.
 *
 *     deno run apps/examples/two-stacks.ts
 */
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { link, monotonic, Stack } from "../../mod.ts";

const [left, right] = link({ clock: monotonic });
await using server = await Stack.open({ nic: left, addresses: ["10.0.0.1/24", "fd00::1/64"] });
await using client = await Stack.open({ nic: right, addresses: ["10.0.0.2/24", "fd00::2/64"] });

server.serve({ port: 80, onListen: () => {} }, (request, { remoteAddr }) => {
  return new Response(`Hello ${remoteAddr.hostname}, you asked ${new URL(request.url).hostname}\n`);
});

const { createConnection } = client.net;
for (const host of ["10.0.0.1", "fd00::1"]) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ host, createConnection }, (response) => void text(response).then(resolve, reject)).on(
    "error",
    reject,
  );
  await Deno.stdout.write(new TextEncoder().encode(await promise));
}

/**
 * TCP echo with sockets, in the shape of `Deno.listen`.
 *
 *     deno run --allow-ffi apps/examples/socket-echo.ts tap:tap0 10.0.0.1/24
 *     echo hello | nc -N 10.0.0.1 7
 */
import { Stack } from "../../mod.ts";

const [nic, address] = Deno.args;
if (nic === undefined || address === undefined) {
  console.error("usage: socket-echo.ts NIC ADDRESS, such as: tap:tap0 10.0.0.1/24");
  Deno.exit(2);
}

await using stack = await Stack.open({ nic, addresses: [address] });
const listener = stack.listen({ port: 7 });
const stop = () => listener.close();
Deno.addSignalListener("SIGINT", stop);
console.log(`tcp echo on ${address}, port 7`);
for await (const connection of listener) {
  // A peer that goes away in the middle of it is its own affair.
  connection.readable.pipeTo(connection.writable).catch(() => {});
}
Deno.removeSignalListener("SIGINT", stop);

/**
 * A tiny web server with sockets, in the shape of `Deno.serve`.
 *
 *     deno run --allow-ffi apps/examples/socket-web.ts tap:tap0 10.0.0.1/24
 *     curl http://10.0.0.1/
 */
import { Stack } from "../../mod.ts";

const [nic, address] = Deno.args;
if (nic === undefined || address === undefined) {
  console.error("usage: socket-web.ts NIC ADDRESS, such as: tap:tap0 10.0.0.1/24");
  Deno.exit(2);
}

await using stack = await Stack.open({ nic, addresses: [address] });
const onListen = () => console.log(`http://${address.split("/")[0]}/`);
const server = stack.serve({ port: 80, onListen }, (request, { remoteAddr }) => {
  const { pathname } = new URL(request.url);
  if (pathname !== "/") return new Response("There is only /\n", { status: 404 });
  return new Response(`Hello ${remoteAddr.hostname} from a stack of its own\n`);
});
const stop = () => void server.shutdown();
Deno.addSignalListener("SIGINT", stop);
await server.finished;
Deno.removeSignalListener("SIGINT", stop);

/**
 * A tiny web server as a tree of handlers: HTTP/1.0, one page, one request a connection.
 *
 *     deno run --allow-ffi apps/examples/tree-web.ts tap:tap0 10.0.0.1/24
 *     curl http://10.0.0.1/
 */
import { Claim, Eth, FromBytes, Icmp, Ip, openNic, poll, protocols, StreamReceive, Tcp } from "../../mod.ts";

const [spec, address] = Deno.args;
if (spec === undefined || address === undefined) {
  console.error("usage: tree-web.ts NIC ADDRESS, such as: tap:tap0 10.0.0.1/24");
  Deno.exit(2);
}

const { nic } = openNic(spec);
const [a = 0, b = 0, c = 0, d = 0] = crypto.getRandomValues(new Int32Array(4));
const eth = new Eth({ mac: "02:00:00:00:00:01" });
const ip = new Ip({ addresses: [address] });
const icmp = new Icmp();
const tcp = new Tcp({ secret: [a, b, c, d], mtu: nic.info.mtu });
const claim = new Claim(nic, eth.mac, ip.addresses);

const response = (status: string, text: string) =>
  new TextEncoder().encode(`HTTP/1.0 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
const page = response("200 OK", "Hello from a tree of handlers\n");
const missing = response("404 Not Found", "There is only /\n");
const chunk = new Uint8Array(4_096), latin1 = new TextDecoder("latin1");

tcp.listen({ port: 80 }, (connection) => {
  const received = connection.receiveBuffer = new StreamReceive(4_096);
  let request = "";
  return {
    readable: () => {
      const text = latin1.decode(chunk.subarray(0, received.read(chunk)));
      if (connection.finWanted) return; // Answered: what else comes is read and dropped.
      request += text;
      // RFC 1945 4.1: an empty line ends the header. Whoever sends a longer one than this is cut off.
      if (request.length > 8_192) return connection.abort();
      if (!/\r?\n\r?\n/.test(request)) return;
      connection.sendBuffer = new FromBytes(/^GET \/[ ?]/.test(request) ? page : missing);
      connection.close();
      connection.flush();
    },
    peerClosed: () => connection.close(),
  };
});

const stop = new AbortController();
Deno.addSignalListener("SIGINT", () => stop.abort());
console.log(`http://${address.split("/")[0]}/`);
await poll(nic, {
  receive: eth.recv(ip.recv(protocols({ icmp: icmp.recv(tcp.errors(() => {})), tcp: tcp.recv() }))),
  send: eth.send(ip.send(tcp.send())),
  signal: stop.signal,
  cycle: () => claim.follow(),
});
nic.close();
if (nic.failure !== undefined && !stop.signal.aborted) console.error(nic.failure);
Deno.exit(stop.signal.aborted ? 0 : 1);

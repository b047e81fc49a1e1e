/**
 * TCP echo as a tree of handlers: what comes into a connection's buffer goes out of the same buffer.
 *
 *     deno run --allow-ffi apps/examples/tree-echo.ts tap:tap0 10.0.0.1/24
 *     echo hello | nc -N 10.0.0.1 7
 */
import {
  Claim,
  type ConnectionHandler,
  Eth,
  Icmp,
  Ip,
  openNic,
  poll,
  protocols,
  Tcp,
  Through,
} from "../../mod.ts";

const [spec, address] = Deno.args;
if (spec === undefined || address === undefined) {
  console.error("usage: tree-echo.ts NIC ADDRESS, such as: tap:tap0 10.0.0.1/24");
  Deno.exit(2);
}

const { nic } = openNic(spec);
const [a = 0, b = 0, c = 0, d = 0] = crypto.getRandomValues(new Int32Array(4));
const eth = new Eth({ mac: "02:00:00:00:00:01" });
const ip = new Ip({ addresses: [address] });
const icmp = new Icmp();
const tcp = new Tcp({ secret: [a, b, c, d], mtu: nic.info.mtu });
const claim = new Claim(nic, eth.mac, ip.addresses);

// One for all connections, which differ by their buffers.
const echo: ConnectionHandler = {
  readable: (connection) => connection.flush(),
  writable: (connection) => connection.flush(),
  peerClosed: (connection) => connection.close(),
};
tcp.listen({ port: 7 }, (connection) => {
  connection.receiveBuffer = connection.sendBuffer = new Through(1 << 16);
  return echo;
});

const stop = new AbortController();
Deno.addSignalListener("SIGINT", () => stop.abort());
console.log(`tcp echo on ${address}, port 7`);
// ICMP errors that are about connections go to TCP; what nobody wants ends in a function that does nothing.
await poll(nic, {
  receive: eth.recv(ip.recv(protocols({ icmp: icmp.recv(tcp.errors(() => {})), tcp: tcp.recv() }))),
  send: eth.send(ip.send(tcp.send())),
  signal: stop.signal,
  cycle: () => claim.follow(),
});
nic.close();
if (nic.failure !== undefined && !stop.signal.aborted) console.error(nic.failure);
Deno.exit(stop.signal.aborted ? 0 : 1);

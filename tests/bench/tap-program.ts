/**
 * Programs that the `tap` benchmark compares, on an interface that exists.
 *
 * `deno run -A tests/bench/tap-program.ts reflector|udp-echo TAP ADDRESS`: prints a line when it is ready.
 *
 * @module
 */
import { Eth, Icmp, Ip, openTap, poll, protocols, Udp } from "../../mod.ts";
import { reflect } from "../support/reflector.ts";

const ECHO_PORT = 7;

const [name, tap = "", address = ""] = Deno.args;
const nic = openTap(tap, { create: false });
console.log("ready");
if (name === "udp-echo") {
  const eth = new Eth({ mac: "02:00:00:00:00:01" });
  const ip = new Ip({ addresses: [`${address}/24`] });
  const icmp = new Icmp();
  const udp = new Udp({ unreachable: icmp });
  udp.bind({ port: ECHO_PORT }, (packet) => {
    packet.echo();
  });
  const receive = eth.recv(ip.recv(protocols({ icmp: icmp.answer(), udp: udp.recv() })));
  await poll(nic, { receive, send: eth.send(ip.layerInternal()) });
} else {
  await reflect(nic);
}

import { deepEqual } from "node:assert/strict";
import { nameServers, serversIn } from "../../apps/name-servers.ts";
import { Address } from "../../mod.ts";

Deno.test("name servers: of resolv.conf, those that another host can be", () => {
  const text = "# a note\nsearch lan.example\nnameserver 192.0.2.53\n\tnameserver 192.0.2.54\n" +
    "nameserver 127.0.0.53\nnameserver fe80::1%eth0\nnameserver\t2001:db8::53  # ours\nnameserver nine\n";
  deepEqual(serversIn(text).map(String), ["192.0.2.53", "2001:db8::53"]);
  deepEqual(serversIn(""), []);
});

Deno.test("name servers: those that were named come first, and whoever leases is told them", () => {
  const dns = [Address.parse("192.0.2.53")];
  deepEqual(nameServers({ dns, addr: ["dhcp"] }), dns);
  deepEqual(nameServers({ addr: ["dhcp"] }), []);
  deepEqual(nameServers({ addr: ["slaac"], gateway: [Address.parse("10.0.0.254")] }), []);
  deepEqual(nameServers({}), [], "nothing is reached without an address");
});

/**
 * What loads need of the network namespace that they run in.
 *
 * @module
 */
import { setInterfaceAddress, setInterfaceUp } from "../../nic/linux/netif.ts";
import { createTap } from "../../nic/linux/tun.ts";

/** A TAP with the kernel's address on it. It goes with the namespace. */
export function makeTap(name: string, kernel: string): void {
  createTap(name);
  try {
    // Without IPv6 the kernel sends nothing of its own accord.
    Deno.writeTextFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1");
  } catch {
    // Then a few packets more are dropped.
  }
  setInterfaceAddress(name, kernel);
  setInterfaceUp(name);
}

/** Lets a client open connection after connection: its own TIME-WAIT would make it look for free ports for ever. */
export function easeClient(): void {
  const set = (name: string, value: string) => Deno.writeTextFileSync(`/proc/sys/net/ipv4/${name}`, value);
  set("ip_local_port_range", "1024 65535");
  set("tcp_max_tw_buckets", "4096");
}

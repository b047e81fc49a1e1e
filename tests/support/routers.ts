/**
 * More hosts for a kernel test: network namespaces of their own, each held by a process that ends with the test.
 *
 * @module
 */
import assert from "node:assert/strict";
import { run } from "./netns.ts";

/** A host of the kernel's in a namespace of its own. */
export class KernelHost implements AsyncDisposable {
  /** Its name, which its interfaces' names begin with. */
  readonly name: string;
  readonly #holder: Deno.ChildProcess;
  readonly #children: Deno.ChildProcess[] = [];

  private constructor(name: string, holder: Deno.ChildProcess) {
    this.name = name;
    this.#holder = holder;
  }

  /** Makes one that forwards between its interfaces, and whose errors are not rate limited. */
  static async start(name: string): Promise<KernelHost> {
    const script = "ip link set lo up && echo ready && exec sleep 900";
    const args = ["--pdeathsig", "KILL", "unshare", "-n", "sh", "-c", script];
    const holder = new Deno.Command("setpriv", { args, stdin: "null", stdout: "piped" }).spawn();
    const reader = holder.stdout.getReader();
    const { value } = await reader.read();
    assert.equal(new TextDecoder().decode(value), "ready\n", `no namespace for ${name}`);
    await reader.cancel();
    const host = new KernelHost(name, holder);
    await host.set("net.ipv4.ip_forward", "1");
    await host.set("net.ipv6.conf.all.forwarding", "1");
    await host.set("net.ipv4.icmp_ratelimit", "0");
    await host.set("net.ipv6.icmp.ratelimit", "0");
    return host;
  }

  /** The process that holds the namespace. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** Runs a program in its namespace and answers what it wrote; throws if it fails. */
  run(program: string, ...args: string[]): Promise<string> {
    return run("nsenter", "-t", String(this.pid), "-n", program, ...args);
  }

  /** Starts a program in its namespace, which ends with the host at the latest. */
  spawn(program: string, ...args: string[]): Deno.ChildProcess {
    const all = ["--pdeathsig", "KILL", "nsenter", "-t", String(this.pid), "-n", program, ...args];
    const child = new Deno.Command("setpriv", { args: all, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    this.#children.push(child);
    return child;
  }

  /** Waits until something listens on these TCP ports there. */
  async listens(...ports: readonly number[]): Promise<void> {
    for (const end = performance.now() + 60_000;;) {
      const sockets = await this.run("ss", "-Hltn");
      if (ports.every((port) => sockets.includes(`:${port} `))) return;
      assert.ok(
        performance.now() < end,
        `nobody listens on ${ports.join(" and ")} of ${this.name}: ${sockets}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Runs `ping -n -c 1 ARGS` there so many times, and answers with what it prints. */
  async pings(count: number, ...args: string[]): Promise<string[]> {
    const outputs: string[] = [];
    for (let turn = 0; turn < count; turn++) {
      outputs.push(await this.run("ping", "-n", "-c", "1", "-W", "10", ...args));
    }
    return outputs;
  }

  /** Runs `ip` there. */
  async ip(line: string): Promise<void> {
    await this.run("ip", ...line.split(" "));
  }

  /** Sets a variable of its namespace. */
  async set(variable: string, value: string): Promise<void> {
    await this.run("sysctl", "-qw", `${variable}=${value}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.#children, this.#holder]) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    }
  }
}

/** One end of a cable: a host, or undefined for the test's own namespace, and the addresses it gets there. */
export interface CableEnd {
  readonly host: KernelHost | undefined;
  readonly addresses: readonly string[];
}

/** Lays a cable (veth) called `name` between two hosts, with an MTU; its ends are `NAMEa` and `NAMEb`. */
export async function cable(name: string, a: CableEnd, b: CableEnd, mtu: number = 1_500): Promise<void> {
  await run("ip", ..."link add".split(" "), `${name}a`, "type", "veth", "peer", "name", `${name}b`);
  for (const [{ host, addresses }, end] of [[a, `${name}a`], [b, `${name}b`]] as const) {
    if (host !== undefined) await run("ip", "link", "set", end, "netns", String(host.pid));
    const ip = (line: string) => host === undefined ? run("ip", ...line.split(" ")) : host.ip(line);
    await ip(`link set ${end} mtu ${mtu} up`);
    for (const address of addresses) {
      await ip(`addr add ${address} dev ${end}${address.includes(":") ? " nodad" : ""}`);
    }
  }
}

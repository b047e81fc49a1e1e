/**
 * The program `ethox` as a process, from source or as one file, for tests that talk to it from outside.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { findProgram } from "../../scripts/setup/programs.ts";
import { PERMISSIONS } from "../../scripts/pack/permissions.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** A way to start ethox. */
export interface Program {
  /** In the names of tests. */
  readonly name: string;
  /** The command, before ethox' own arguments. Prepares the start, outside of any namespace, when it is first asked. */
  readonly command: () => Promise<readonly string[]>;
}

/** From source, with the permissions of the one file. */
export const source: Program = {
  name: "source",
  command: once(async () => {
    const main = `${ROOT}/apps/main.ts`;
    // In a namespace there is no network to fetch packages from.
    await succeed([Deno.execPath(), "cache", "--quiet", main]);
    return [Deno.execPath(), "run", "--quiet", "--cached-only", ...PERMISSIONS, main];
  }),
};

/** From source, where /sys shows the test's own network namespace instead of the machine's. */
export const remounted: Program = {
  name: "source, /sys of the namespace",
  command: async () => {
    const script = 'mount -t sysfs sysfs /sys && exec "$0" "$@"';
    return ["unshare", "-m", "sh", "-c", script, ...await source.command()];
  },
};

/** As one file, made in a temporary directory that any user may read and that goes with the test's process. */
export const oneFile: Program = {
  name: "one file",
  command: once(async () => {
    await removeLeftovers();
    const directory = await Deno.makeTempDir({ prefix: DIRECTORY });
    await Deno.chmod(directory, 0o755);
    globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
    const output = `${directory}/ethox`;
    await succeed([Deno.execPath(), "run", "-A", `${ROOT}/scripts/compile.ts`, "--output", output]);
    const cache = `${directory}/cache`;
    await Deno.mkdir(cache, { mode: 0o700 });
    return ["env", `XDG_CACHE_HOME=${cache}`, output];
  }),
};

const DIRECTORY = "ethox-kernel-test-", HOUR = 3_600_000;

/** Removes what runs that were killed have left. */
async function removeLeftovers(): Promise<void> {
  const place = Deno.env.get("TMPDIR") ?? "/tmp";
  for await (const { name } of Deno.readDir(place)) {
    if (!name.startsWith(DIRECTORY)) continue;
    const { mtime, uid } = await Deno.lstat(`${place}/${name}`);
    if (uid !== Deno.uid() || mtime === null || Date.now() - mtime.getTime() < HOUR) continue;
    await Deno.remove(`${place}/${name}`, { recursive: true });
  }
}

/** Counters by layer and name. */
export type Counters = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What ethox has said on its last line. */
export interface Summary {
  readonly packets: Counters;
  readonly drops: Counters;
  /** What befell the frames, by direction; undefined: `--fault` was not given. */
  readonly faults?: Counters | undefined;
  /** What a filter let pass and what it did not; undefined: there was none. */
  readonly filter?: Readonly<Record<"passed" | "filtered", number>> | undefined;
}

/** How ethox ended. */
export interface Ending {
  readonly code: number;
  readonly stderr: string;
  /** Undefined if it ended without one. */
  readonly summary: Summary | undefined;
  /** The last event, whatever it is. */
  readonly last: Event | undefined;
}

/** The events that `--json` prints, as far as tests read them. */
export interface Event {
  readonly event: string;
  readonly mac?: string;
  readonly packets?: Counters;
  readonly drops?: Counters;
  readonly faults?: Counters;
  readonly forward?: Counters[string];
  readonly filter?: Summary["filter"];
  /** The other fields of an event that is about an address. */
  readonly change?: string;
  readonly address?: string;
  readonly reason?: string;
  readonly name?: string;
  readonly addresses?: readonly string[];
  readonly dhcp?: {
    readonly server: string;
    readonly dns: readonly string[];
    readonly search: readonly string[];
  };
}

/** Even if the tests are killed, their appliances go at once. */
const DIES_WITH_US = findProgram("setpriv") === undefined ? [] : ["setpriv", "--pdeathsig", "KILL"];

/** How long a start may take on a slow machine: a one-file ethox unpacks itself. */
const READY_LIMIT = 60_000;

/** A running `ethox serve ping --json`. It ends by itself after ten minutes, whatever becomes of the test. */
export class Server implements AsyncDisposable {
  /** Its hardware address. */
  mac = "";
  readonly #child: Deno.ChildProcess;
  readonly #events: Event[] = [];
  readonly #output: Promise<void>;
  readonly #complaints: Promise<void>;
  #stderr = "";
  #ready!: () => void;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#output = this.#read();
    this.#complaints = this.#readErrors();
  }

  /** Starts it on a NIC, with more services and options if there are any, and waits for the ready event. */
  static async start(program: Program, nic: string, address: string, ...more: string[]): Promise<Server> {
    const serve = ["serve", "ping", "--nic", nic, "--addr", address, "--json", "--duration", "600s"];
    return await Server.spawn(program, ...serve, ...more);
  }

  /** Starts it with any arguments, which must make it print JSON, and waits for the ready event. */
  static async spawn(program: Program, ...args: string[]): Promise<Server> {
    const server = new Server(spawn([...await program.command(), ...args]));
    const ready = new Promise<void>((resolve) => server.#ready = resolve);
    const timer = setTimeout(() => server.signal("SIGKILL"), READY_LIMIT);
    await Promise.race([ready, server.#output]);
    clearTimeout(timer);
    const event = server.#events[0];
    if (event === undefined) throw new Error(`ethox did not get ready: ${(await server.ended()).stderr}`);
    assert.equal(event.event, "ready", "the first event");
    server.mac = event.mac ?? "";
    return server;
  }

  /** The process' number. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What it has said so far. */
  get events(): readonly Event[] {
    return this.#events;
  }

  /** Waits for an event. */
  async told(what: string, is: (event: Event) => boolean): Promise<Event> {
    const end = performance.now() + READY_LIMIT;
    for (;;) {
      const found = this.#events.find(is);
      if (found !== undefined) return found;
      assert.ok(performance.now() < end, `no event: ${what}, but: ${JSON.stringify(this.#events)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until `pattern` is on its stderr. */
  async warned(pattern: RegExp): Promise<void> {
    const end = performance.now() + READY_LIMIT;
    while (!pattern.test(this.#stderr)) {
      assert.ok(performance.now() < end, `not on stderr: ${pattern}, but: ${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends a signal; nothing happens if it has ended. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  /** Waits for its end. */
  async ended(): Promise<Ending> {
    const limit = setTimeout(() => this.signal("SIGKILL"), READY_LIMIT);
    const [{ code }] = await Promise.all([this.#child.status, this.#complaints, this.#output]);
    clearTimeout(limit);
    const stderr = this.#stderr;
    const last = this.#events.at(-1);
    const { packets, drops, faults, filter } = last ?? {};
    const summary = last?.event === "summary" && packets && drops
      ? { packets, drops, faults, filter }
      : undefined;
    return { code, stderr, summary, last };
  }

  /** Stops it, checks that it ended well and that its counters add up, and answers with its summary. */
  async stop(signal: Deno.Signal = "SIGTERM", complaints = /^$/): Promise<Summary> {
    this.signal(signal);
    const { code, stderr, summary } = await this.ended();
    assert.match(stderr, complaints);
    assert.equal(code, 0);
    assert.ok(summary !== undefined, "ethox ended without a summary");
    assertAddsUp(summary);
    return summary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.#stderr += text;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#events.push(JSON.parse(line));
      if (lines.length > 0) this.#ready();
    }
    assert.equal(rest, "", "the last line is whole");
  }
}

/** Runs ethox to its end. */
export async function ethox(program: Program, ...args: string[]): Promise<Omit<Ending, "summary" | "last">> {
  const child = spawn([...await program.command(), ...args]);
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }, READY_LIMIT);
  const { code, stderr } = await child.output();
  clearTimeout(timer);
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** What IP counts beside the ends of frames. */
const NOT_ENDS = [
  "noRoute",
  "unresolved",
  "notSent",
  "unsentErrors",
  "reassemblyTimeout",
  "reassemblyGivenUp",
];

/** Every frame ends in exactly one counter of each layer it reaches. */
export function assertAddsUp({ packets, drops, faults, filter }: Summary): void {
  const sum = (counters: Readonly<Record<string, number>> = {}, ...without: string[]) => {
    return Object.entries(counters).reduce((all, [name, n]) => without.includes(name) ? all : all + n, 0);
  };
  const { nic, arp, ip, icmp, udp } = packets;
  const layer = packets["eth"] === undefined ? "ptp" : "eth", link = packets[layer];
  assert.ok(nic && link && arp && ip && icmp && udp, "every layer is in the summary");
  const arrived = faults === undefined ? nic["received"]! : faults["in"]!["passed"]!;
  assert.equal(
    arrived - (filter?.filtered ?? 0),
    link["received"]! + sum(drops[layer], "notQueued", "notIp") + (drops["workers"]?.["notTaken"] ?? 0),
    "frames",
  );
  const arpPackets = arp["received"]! + sum(drops["arp"], "badSender", "unanswered");
  const ipPackets = ip["received"]! + sum(drops["ip"], ...NOT_ENDS) +
    (ip["fragmentsKept"] ?? 0) + (ip["linkControl"] ?? 0);
  const ofVlan = link["received"]! - sum(drops["vlan"], "notQueued");
  assert.equal(ofVlan, arpPackets + ipPackets, "packets of the link");
  const parsed = (layer: string) => {
    const { otherProtocol = 0, truncated = 0, malformed = 0, wrongChecksum = 0, toGroup = 0 } =
      drops[layer] ??
        {};
    const parsed = (packets[layer]?.["received"] ?? 0) + otherProtocol + truncated + malformed;
    return parsed + wrongChecksum + toGroup;
  };
  assert.equal(ip["received"], parsed("icmp") + parsed("udp") + parsed("tcp"), "packets of IP");
  const told = ["udp", "tcp"].map((layer) => {
    return (packets[layer]?.["errors"] ?? 0) + (drops[layer]?.["strayErrors"] ?? 0);
  });
  const { groupEcho = 0, unanswered = 0, unhandled = 0 } = drops["icmp"] ?? {};
  const handled = icmp["answered"]! + groupEcho + unanswered + unhandled;
  assert.equal(icmp["received"], told.reduce((all, n) => all + n, handled), "messages of ICMP");
  const services = Object.entries(packets).filter(([name]) => /^(udp-|dhcp|mdns)/.test(name));
  if (services.length === 0) return;
  const served = services.reduce((all, [name, counted]) => {
    const { answered = 0, noted = 0, received = 0 } = counted;
    return all + answered + noted + received + sum(drops[name], "notSent");
  }, 0);
  assert.equal(udp["received"], served + (drops["udp"]?.["closedPort"] ?? 0), "datagrams");
}

function spawn(command: readonly string[]): Deno.ChildProcess {
  const [program = "", ...args] = [...DIES_WITH_US, ...command];
  const env = { NO_COLOR: "1" };
  return new Deno.Command(program, { args, env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
}

async function succeed([program = "", ...args]: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

/**
 * The conversations of a drill.
 *
 * @module
 */
import type { PacketAction } from "./ast.ts";
import type { Config } from "./config.ts";
import { Flow } from "./flow.ts";
import type { SocketAddress } from "./host.ts";

/** The port that the script talks from when it was not the stack that began. */
export const PEER_PORT = 50_000;

/** All conversations: one that packets without ports belong to, and those that scripts name by their ports. */
export class Flows {
  readonly #config: Config;
  readonly #others = new Map<string, Flow>();
  #current: Flow;

  /** One conversation with the address and the port that scripts have by default. */
  constructor(config: Config) {
    this.#config = config;
    this.#current = this.#create(config.bindPort, PEER_PORT);
  }

  /** The conversation that packets without ports belong to. */
  get current(): Flow {
    return this.#current;
  }

  /** Starts another conversation that packets without ports belong to. */
  begin(local: SocketAddress, remote: SocketAddress): Flow {
    this.#current = new Flow(local, remote);
    return this.#current;
  }

  /** The conversation that a script's packet belongs to. */
  of({ body, ports, direction }: PacketAction): Flow {
    if (ports === undefined || body.kind !== "tcp") return this.#current;
    const [local, remote] = direction === "in"
      ? [ports.destination, ports.source]
      : [ports.source, ports.destination];
    if (this.#current.local.port === local && this.#current.remote.port === remote) return this.#current;
    const key = `${local} ${remote}`;
    const flow = this.#others.get(key) ?? this.#create(local, remote);
    this.#others.set(key, flow);
    return flow;
  }

  #create(local: number, remote: number): Flow {
    return new Flow({ address: this.#config.local, port: local }, {
      address: this.#config.remote,
      port: remote,
    });
  }
}

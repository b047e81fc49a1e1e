/**
 * Two stacks on a wire in memory, for tests of sockets.
 *
 * @module
 */
import { once } from "node:events";
import { link, type LinkEnd } from "../../nic/link/link.ts";
import type { NetServer } from "../../sockets/net-server.ts";
import { Stack } from "../../sockets/stack.ts";
import type { StackOptions } from "../../sockets/stack-options.ts";
import { isV6 } from "./family.ts";

/** The addresses of the two. */
export const SERVER = "10.0.0.1", CLIENT = "10.0.0.2";

/** The same where it may be IPv6's turn. */
export function serverAddress(): string {
  return isV6() ? "fd00::1" : SERVER;
}

/** The client's. */
export function clientAddress(): string {
  return isV6() ? "fd00::2" : CLIENT;
}

/** Two stacks that reach each other. */
export interface Stacks extends AsyncDisposable {
  readonly server: Stack;
  readonly client: Stack;
  readonly ends: readonly [LinkEnd, LinkEnd];
}

/** Opens two stacks; both are closed with the answer. */
export async function stacks(options: Partial<StackOptions> = {}): Promise<Stacks> {
  const clock = () => Math.round(performance.now() * 1_000);
  const ends = link({ clock, slots: 512 });
  const prefix = isV6() ? "/64" : "/24";
  const server = await Stack.open({ addresses: [`${serverAddress()}${prefix}`], ...options, nic: ends[0] });
  const client = await Stack.open({ addresses: [`${clientAddress()}${prefix}`], ...options, nic: ends[1] });
  return {
    server,
    client,
    ends,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.close();
    },
  };
}

/** Bytes that tell whether one is missing, doubled or in the wrong place. */
export function pattern(length: number, seed: number = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0, word = seed; index < length; index++) {
    word = (Math.imul(word, 1_103_515_245) + 12_345) | 0;
    bytes[index] = word >>> 16;
  }
  return bytes;
}

/** Reads a connection to its end. */
export async function readAll(readable: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

/** A server of node:net that listens. */
export async function listening(server: NetServer, port: number = 80): Promise<NetServer> {
  server.listen(port);
  await once(server, "listening");
  return server;
}

/** Closes a server of node:net, and waits for its end. */
export async function closed(server: NetServer): Promise<void> {
  server.close();
  await once(server, "close");
}

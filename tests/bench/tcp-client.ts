/**
 * Loads on TCP services, through the kernel's sockets as Deno has them.
 *
 * @module
 */

/** The ports of the services. */
const ECHO = 7, DISCARD = 9, CHARGEN = 19;

const CHUNK = 1 << 18;

/** Seconds since `start`, on the clock of `performance`. */
function since(start: number): number {
  return (performance.now() - start) / 1e3;
}

/** What was moved in which time. */
export interface Moved {
  readonly bytes: number;
  readonly seconds: number;
}

/** Connects to one host's services. */
export class TcpClient {
  readonly #hostname: string;

  /** A client of the host at this address. */
  constructor(hostname: string) {
    this.#hostname = hostname;
  }

  /** One byte there and back, again and again; round trips in microseconds. */
  async pingPong(seconds: number): Promise<number[]> {
    using connection = await this.#connect(ECHO);
    const byte = new Uint8Array(1), times: number[] = [];
    for (const start = performance.now(); since(start) < seconds;) {
      const before = performance.now();
      await connection.write(byte);
      await connection.read(byte);
      times.push((performance.now() - before) * 1e3);
    }
    return times;
  }

  /** Sends for a while, then waits until everything has arrived. */
  async upload(seconds: number): Promise<Moved> {
    using connection = await this.#connect(DISCARD);
    const chunk = new Uint8Array(CHUNK), start = performance.now();
    let bytes = 0;
    while (since(start) < seconds) bytes += await connection.write(chunk);
    await connection.closeWrite();
    // The other side closes when it has taken everything.
    await connection.read(chunk);
    return { bytes, seconds: since(start) };
  }

  /** Receives for a while. */
  async download(seconds: number): Promise<Moved> {
    using connection = await this.#connect(CHARGEN);
    const chunk = new Uint8Array(CHUNK), start = performance.now();
    let bytes = 0;
    while (since(start) < seconds) bytes += await connection.read(chunk) ?? 0;
    return { bytes, seconds: since(start) };
  }

  /** Sends so many bytes and compares what comes back with them. Throws an Error if it differs. */
  async echo(bytes: number): Promise<Moved> {
    using connection = await this.#connect(ECHO);
    const pattern = Uint8Array.from({ length: CHUNK + 251 }, (_, at) => at % 251);
    const start = performance.now();
    const writing = (async () => {
      for (let at = 0; at < bytes;) {
        const from = at % 251;
        at += await connection.write(pattern.subarray(from, from + Math.min(CHUNK, bytes - at)));
      }
      await connection.closeWrite();
    })();
    const chunk = new Uint8Array(CHUNK);
    let received = 0;
    for (let count = await connection.read(chunk); count !== null; count = await connection.read(chunk)) {
      for (let at = 0, value = received % 251; at < count; at++, value = value === 250 ? 0 : value + 1) {
        if (chunk[at] !== value) throw new Error(`byte ${received + at} came back wrong`);
      }
      received += count;
    }
    await writing;
    if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came back`);
    return { bytes, seconds: since(start) };
  }

  /** Connects, has a byte echoed and closes, `parallel` at a time; how many there were, and in which time. */
  async connections(parallel: number, seconds: number): Promise<{ count: number; seconds: number }> {
    const start = performance.now();
    let count = 0;
    await Promise.all(Array.from({ length: parallel }, async () => {
      for (const byte = new Uint8Array(1); since(start) < seconds; count++) {
        using connection = await this.#connect(ECHO);
        await connection.write(byte);
        await connection.read(byte);
      }
    }));
    return { count, seconds: since(start) };
  }

  /** Opens so many connections, has a byte echoed on each, and again on all while all are open; then closes them. */
  async hold(count: number, whenOpen: () => void): Promise<void> {
    const connections: Deno.TcpConn[] = [];
    const echo = async (connection: Deno.TcpConn) => {
      await connection.write(new Uint8Array(1));
      if (await connection.read(new Uint8Array(1)) !== 1) throw new Error("a byte did not come back");
    };
    try {
      while (connections.length < count) {
        const more = await Promise.all(Array.from({ length: 50 }, () => this.#connect(ECHO)));
        connections.push(...more);
        await Promise.all(more.map(echo));
      }
      whenOpen();
      for (let at = 0; at < count; at += 50) await Promise.all(connections.slice(at, at + 50).map(echo));
    } finally {
      for (const connection of connections) connection.close();
    }
  }

  async #connect(port: number): Promise<Deno.TcpConn> {
    const connection = await Deno.connect({ hostname: this.#hostname, port });
    connection.setNoDelay(true);
    return connection;
  }
}

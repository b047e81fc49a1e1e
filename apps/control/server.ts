/**
 * The control socket of a running appliance. Its clients are the appliance's owner's, for nobody else may connect;
 * whatever they send, the appliance goes on.
 */
import { Poller, Ready, UnixListener, type UnixStream } from "../../mod.ts";
import { CliError, ExitStatus, messageOf } from "../cli/errors.ts";
import type { ControlledHost } from "./command.ts";
import { answer } from "./commands.ts";
import { LINE_MAX, type Reply } from "./request.ts";

/** Clients at once; of more, whoever has been silent longest is let go. */
export const CLIENTS_MAX = 16;

/** How often it is looked whether the appliance has ended, in milliseconds; it is woken anyway. */
const WAIT = 60_000;

/** How long new clients are left waiting when there is no descriptor for one, in milliseconds. */
const PAUSE = 100;

const NEWLINE = 10;
const encoder = new TextEncoder(), decoder = new TextDecoder();

/** A client: what it has sent and is not yet answered, and what it is still to be sent. */
class Client {
  readonly stream: UnixStream;
  heardAt = 0;
  /** Its request is being dealt with: nothing more is read meanwhile. */
  isBusy = false;
  isOver = false;
  readonly #line = new Uint8Array(LINE_MAX);
  #length = 0;
  #out = new Uint8Array(0);

  constructor(stream: UnixStream) {
    this.stream = stream;
  }

  /** What is waited for. */
  get wanted(): number {
    return this.#out.length > 0 ? Ready.Writable : this.isBusy ? 0 : Ready.Readable;
  }

  /** Reads, and answers with the next whole line; undefined: there is none yet. */
  read(): string | undefined {
    if (this.isBusy || this.#out.length > 0) return undefined;
    if (this.#length < LINE_MAX) {
      const count = this.stream.read(this.#line.subarray(this.#length));
      if (count === 0) this.isOver = true;
      if (count > 0) this.#length += count;
    }
    const end = this.#line.subarray(0, this.#length).indexOf(NEWLINE);
    if (end < 0) {
      if (this.#length === LINE_MAX) this.refuse(`a line has at most ${LINE_MAX} bytes`);
      return undefined;
    }
    // A line that came before the end is still answered.
    this.isOver = false;
    const line = decoder.decode(this.#line.subarray(0, end));
    this.#line.copyWithin(0, end + 1, this.#length);
    this.#length -= end + 1;
    return line;
  }

  /** Writes an object on a line; what is not taken now is kept. */
  reply(object: object): void {
    this.#out = encoder.encode(`${JSON.stringify(object)}\n`);
    this.flush();
  }

  /** Writes what was kept. */
  flush(): void {
    if (this.#out.length === 0) return;
    const written = this.stream.write(this.#out);
    if (written < 0) this.isOver = true;
    else this.#out = this.#out.slice(written);
  }

  /** Says why, and lets it go. */
  refuse(error: string): void {
    this.reply({ ok: false, error });
    this.isOver = true;
  }
}

/** A control socket. */
export class ControlServer implements AsyncDisposable {
  readonly #host: ControlledHost;
  readonly #answerLine: (host: ControlledHost, line: string) => Promise<Reply>;
  readonly #listener: UnixListener;
  readonly #poller: Poller;
  readonly #clients = new Set<Client>();
  readonly #running: Promise<void>;
  #isClosing = false;
  #turn = 0;

  /** Listens at `path` for requests about the host, which `reply` answers. Throws a {@linkcode CliError} when that cannot be. */
  constructor(path: string, host: ControlledHost, reply: typeof answer = answer) {
    this.#host = host;
    this.#answerLine = reply;
    try {
      this.#listener = UnixListener.listen(path);
    } catch (error) {
      throw new CliError(ExitStatus.Failed, `--ctl: ${messageOf(error)}`);
    }
    this.#poller = new Poller(path);
    this.#running = this.#run();
  }

  /** Lets all clients go and removes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    this.#poller.wake();
    await this.#running;
    for (const client of this.#clients) client.stream.close();
    this.#listener.close();
    await this.#poller.close();
  }

  async #run(): Promise<void> {
    while (!this.#isClosing) {
      const wanted = [...this.#clients].filter((client) => client.wanted !== 0);
      const descriptors = wanted.map((client) => [client.stream.fd, client.wanted] as const);
      if (this.#listener.isStuck) await this.#poller.wait(descriptors, PAUSE);
      else await this.#poller.wait([[this.#listener.fd, Ready.Readable], ...descriptors], WAIT);
      this.#accept();
      for (const client of this.#clients) this.#serve(client);
    }
  }

  #accept(): void {
    for (let turns = 0; turns < CLIENTS_MAX; turns++) {
      const stream = this.#listener.accept();
      if (stream === undefined) return;
      if (this.#clients.size >= CLIENTS_MAX) this.#dropOldest();
      const client = new Client(stream);
      client.heardAt = this.#turn++;
      this.#clients.add(client);
    }
  }

  #dropOldest(): void {
    let oldest: Client | undefined;
    for (const client of this.#clients) {
      if (oldest === undefined || client.heardAt < oldest.heardAt) oldest = client;
    }
    oldest?.refuse(`there are more than ${CLIENTS_MAX} clients`);
    if (oldest !== undefined) this.#release(oldest);
  }

  #serve(client: Client): void {
    client.flush();
    const line = client.read();
    if (line !== undefined) void this.#answer(client, line);
    else if (client.isOver && !client.isBusy) this.#release(client);
  }

  async #answer(client: Client, line: string): Promise<void> {
    client.isBusy = true;
    client.heardAt = this.#turn++;
    const reply = await this.#answerLine(this.#host, line);
    this.#host.appliance.nic.wake();
    client.isBusy = false;
    if (!this.#clients.has(client)) return;
    client.reply(reply);
    // Another line may be here already, and the wait under way does not know that this client is free.
    this.#poller.wake();
  }

  #release(client: Client): void {
    this.#clients.delete(client);
    client.stream.close();
  }
}

/**
 * Scripts about `serve`.
 *
 * @module
 */
import { ask, request } from "./http.ts";
import {
  did,
  type Handler,
  named,
  type Script,
  type Scripts,
  type Side,
  soon,
  told,
  toldSoon,
  zeros,
} from "./side.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Serves quietly on a free port. */
function start({ sockets, own }: Side, handler: Handler, more: Record<string, unknown> = {}) {
  return sockets.serve({ hostname: own, port: 0, onListen: () => {}, ...more }, handler);
}

/** What is answered to a request for each path, by the handler of that path. */
async function answers(
  side: Side,
  paths: Readonly<Record<string, Handler>>,
  text: (path: string) => string,
  more: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  const handler: Handler = (request, info) => paths[new URL(request.url).pathname.slice(1)]!(request, info);
  const server = start(side, handler, more);
  const seen: Record<string, unknown> = {};
  for (const path of Object.keys(paths)) seen[path] = await ask(side.own, server.addr.port, text(path));
  await server.shutdown();
  return seen;
}

const life: Script = async (side) => {
  const { sockets, own } = side;
  const heard: Deno.NetAddr[] = [];
  const onListen = (address: Deno.NetAddr) => void heard.push(address);
  const server = sockets.serve({ hostname: own, port: 0, onListen }, () => new Response("hi"));
  const { hostname, port, transport } = server.addr;
  const seen = {
    heard: heard.map((one) => [one.hostname === own, one.port === port, one.transport]),
    address: [hostname === own, transport],
    got: await ask(own, port, request("GET", "/")),
    shutdown: [await did(server.shutdown()), await did(server.finished), await did(server.shutdown())],
    ref: [await did(() => server.ref()), await did(() => server.unref())],
    dispose: await did(server[Symbol.asyncDispose]()),
    after: await told(Deno.connect({ hostname: own, port })),
  };
  return seen;
};

const opening: Script = async ({ sockets, own }) => {
  const serve = (options: Record<string, unknown>, handler?: Handler) =>
    did(() => sockets.serve({ hostname: own, port: 0, onListen: () => {}, ...options }, handler).shutdown());
  const handler = () => new Response();
  using listener = sockets.listen({ hostname: own, port: 0 });
  const onListen = () => {
    throw new SyntaxError("why");
  };
  return {
    inUse: await serve({ port: listener.addr.port }, handler),
    anothers: await serve({ hostname: "192.0.2.1" }, handler),
    large: await serve({ port: 70_000 }, handler),
    noHandler: await serve({}),
    handlerInOptions: await serve({ handler }),
    onListenThrows: await serve({ onListen }, handler),
  };
};

const failures: Readonly<Record<string, Handler>> = {
  throws: () => {
    throw new Error("why");
  },
  rejects: () => Promise.reject(new Error("why")),
  nothing: () => undefined,
  text: () => "text",
  errorResponse: () => Response.error(),
  used: async () => {
    const response = new Response("used");
    await response.text();
    return response;
  },
  laterBody: () => {
    let turn = 0;
    const pull = async (controller: ReadableStreamDefaultController) => {
      if (turn++ === 0) return controller.enqueue(bytes("A"));
      await soon();
      throw new Error("why");
    };
    return new Response(new ReadableStream({ pull }));
  },
};

const failing: Script = (side) => answers(side, failures, (path) => request("GET", `/${path}`));

const onError: Script = async (side) => {
  const heard: string[] = [];
  const onError = (error: unknown) => {
    heard.push(named(error));
    if (heard.length === 2) throw new Error("again");
    return heard.length === 3 ? "text" : new Response("mine", { status: 418 });
  };
  const paths = Object.fromEntries([1, 2, 3, 4].map((turn) => [turn, failures["throws"]!]));
  return { ...await answers(side, paths, (path) => request("GET", `/${path}`), { onError }), heard };
};

/** A body in parts, each made after a while. */
function slow(parts: readonly string[]): ReadableStream<Uint8Array> {
  let turn = 0;
  const pull = async (controller: ReadableStreamDefaultController) => {
    await soon(10);
    const part = parts[turn++];
    if (part === undefined) controller.close();
    else controller.enqueue(bytes(part));
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

const responses: Readonly<Record<string, Handler>> = {
  text: () => new Response("text"),
  null: () => new Response(null),
  empty: () => new Response(""),
  noContent: () => new Response(null, { status: 204 }),
  notModified: () => new Response(null, { status: 304 }),
  stream: () => new Response(ReadableStream.from([bytes("a"), bytes("b")])),
  rightLength: () => new Response("xyz", { headers: { "content-length": "3" } }),
  shortLength: () => new Response("xyz", { headers: { "content-length": "2" } }),
  longLength: () => new Response("xyz", { headers: { "content-length": "4" } }),
  shortStream: () => new Response(slow(["ab", "c"]), { headers: { "content-length": "2" } }),
  longStream: () => new Response(slow(["ab", "c"]), { headers: { "content-length": "4" } }),
  rightStream: () => new Response(slow(["ab", "c"]), { headers: { "content-length": "3" } }),
  chunked: () => new Response("xyz", { headers: { "transfer-encoding": "chunked" } }),
  url: ({ method, url }) => new Response(`${method} ${url}`),
};

const answering: Script = (side) => answers(side, responses, (path) => request("GET", `/${path}`));

const { null: _null, ...withBody } = responses;
const heads: Script = (side) => answers(side, withBody, (path) => request("HEAD", `/${path}`));

const requests: Script = async (side) => {
  const handler: Handler = async (request) => new Response(`${request.method} ${await request.text()}`);
  const server = start(side, handler);
  const { port } = server.addr;
  const send = (text: string) => ask(side.own, port, text);
  const post = (head: string, body: string) => send(request("POST", "/", head, body));
  const seen = {
    post: await post("Content-Length: 3\r\n", "abc"),
    chunked: await post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    expected: await post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
    nothing: await post("", ""),
    getWithBody: await send(request("GET", "/", "Content-Length: 3\r\n", "abc")),
    twoLengths: (await post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")).slice(0, 3),
    lengthAndChunks: (await post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")).slice(
      0,
      3,
    ),
    badLength: (await post("Content-Length: x\r\n", "abc")).slice(0, 3),
    garbage: (await send("garbage\r\n\r\n")).slice(0, 3),
    badHeader: (await send(request("GET", "/", "Bad Header: 1\r\n"))).slice(0, 3),
    noHost: (await send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).slice(0, 3),
    http10: (await send("GET / HTTP/1.0\r\n\r\n")).slice(0, 3),
    trace: (await send(request("TRACE", "/"))).slice(0, 3),
    connect: (await send(request("CONNECT", "x:80"))).slice(0, 3),
    unknown: (await send(request("ODD", "/"))).slice(0, 3),
    longHeader: (await send(request("GET", "/", `X: ${"a".repeat(20_000)}\r\n`))).slice(0, 3),
  };
  await server.shutdown();
  return seen;
};

const bodies: Script = (side) =>
  answers(
    side,
    {
      ignored: () => new Response("done"),
      canceled: async (request) => {
        await request.body?.cancel();
        return new Response("done");
      },
      echoed: (request) => new Response(request.body),
    },
    (path) => request("POST", `/${path}`, "Content-Length: 3\r\n", "abc"),
  );

const signal: Script = async (side) => {
  const abort = new AbortController();
  let reason: unknown;
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const server = start(side, async (request) => {
    request.signal.onabort = () => reason = request.signal.reason;
    resolve();
    await soon(300);
    return new Response("late");
  }, { signal: abort.signal });
  const got = ask(side.own, server.addr.port, request("GET", "/"));
  await arrived;
  abort.abort();
  const seen = { finished: await did(server.finished), got: await got };
  await soon();
  return { ...seen, reason: named(reason), shutdown: await did(server.shutdown()) };
};

const signalBefore: Script = async (side) => {
  const server = start(side, () => new Response(), { signal: AbortSignal.abort() });
  const seen = { finished: await toldSoon(did(server.finished)) };
  void server.shutdown();
  return seen;
};

const shutdown: Script = async (side) => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const server = start(side, async () => {
    resolve();
    await soon(200);
    return new Response("late");
  });
  const { port } = server.addr;
  using idle = await Deno.connect({ hostname: side.own, port });
  const got = ask(side.own, port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await arrived;
  const ending = did(server.shutdown());
  return {
    idle: await told(idle.read(zeros(1))),
    connect: await told(Deno.connect({ hostname: side.own, port })),
    got: await got,
    ending: await ending,
  };
};

/** A client that leaves: while the handler thinks, or in the midst of the response. */
const leaves = (isThinking: boolean): Script => async (side) => {
  const { promise: left, resolve } = Promise.withResolvers<string>();
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  let isCanceled = false;
  const server = start(side, async ({ signal }) => {
    signal.onabort = () => resolve(named(signal.reason));
    arrive();
    if (isThinking) await left;
    const pull = async (controller: ReadableStreamDefaultController) => {
      await soon(10);
      controller.enqueue(zeros(10));
    };
    return new Response(new ReadableStream({ pull, cancel: () => void (isCanceled = true) }));
  });
  const client = await Deno.connect({ hostname: side.own, port: server.addr.port });
  await client.write(bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  await arrived;
  if (!isThinking) await client.read(zeros(10));
  client.close();
  const reason = await left;
  await soon(100);
  await server.shutdown();
  return { reason, isCanceled };
};

const served: Script = async (side) => {
  let aborted: boolean | undefined;
  const completions: Promise<void>[] = [];
  const server = start(side, ({ signal }, { completed, remoteAddr }) => {
    signal.onabort = () => aborted = true;
    completions.push(completed);
    return new Response(Object.keys(remoteAddr).sort().join());
  });
  const got = await ask(side.own, server.addr.port, request("GET", "/"));
  const seen = { got, completed: await did(completions[0]) };
  await soon();
  await server.shutdown();
  return { ...seen, aborted: aborted ?? false };
};

/** All of them. */
export const SERVING: Scripts = {
  "serve, from start to shutdown": life,
  "serve cannot start": opening,
  "serve's handler fails": failing,
  "serve's onError": onError,
  "serve's responses": answering,
  "serve's responses to HEAD": heads,
  "serve's requests": requests,
  "serve's request bodies": bodies,
  "serve ended by its signal": signal,
  "serve's signal is aborted before": signalBefore,
  "serve shut down in the midst of a request": shutdown,
  "serve's client leaves while the handler thinks": leaves(true),
  "serve's client leaves in the midst of the response": leaves(false),
  "serve's request is answered": served,
};

/**
 * Where a stack's sockets differ from Deno's on purpose, and why.
 *
 * @module
 */
import type { Seen } from "./side.ts";

const RESET = "ConnectionReset ECONNRESET";

/** What the stack's side is to see instead, by script. */
export const DIFFERENCES: Readonly<Record<string, Seen>> = {
  // RFC 2525 2.17: what is closed with something unread, or aborted, is reset. Deno ends first, and resets then.
  "closed with something unread": { peer: RESET },
  "readable canceled with something unread": { peer: RESET },
  "writable aborted": { peer: RESET },
  "an echo by pipeTo, given up by its signal": { peer: RESET },
  "serve ended by its signal": { got: `nothing, then ${RESET}` },

  // A reset is told to whoever asks. The kernel tells it once: what comes next reads an end, or writes to a broken pipe.
  "the peer resets, then reads": { readAgain: RESET, write: RESET },
  "the peer resets, then writes": { writeAgain: RESET, read: RESET },

  // The end of one stream leaves the other direction open, as it is with read and closeWrite. Deno closes everything.
  "readable to its end": { write: 1, readAgain: null, closeWrite: "done", close: "done", peer: 1 },
  "writable to its end": { read: 1, writeAgain: "BrokenPipe EPIPE", close: "done" },

  // Several may wait for a connection, each of whom gets one.
  "a listener closed while it accepts twice": { accepting: ["BadResource", "BadResource"] },

  // Every address, and one of them besides: who names the address gets what is for it.
  "a listener's addresses": { besideEvery: ["0.0.0.0", "number", "tcp"] },
  "a datagram socket's addresses": { besideEvery: ["0.0.0.0", "number", "udp"] },

  // An argument that cannot be is a TypeError.
  "datagrams sent": { tooLong: "TypeError EMSGSIZE" },

  // A response's length is told where it is known.
  "serve's responses": { chunked: "200, length 3: xyz" },

  // RFC 9112 3.2 asks for Host; the web's Request forbids TRACE and CONNECT, which Deno makes all the same; node:http knows
  // its methods, and takes 16 KiB of headers.
  "serve's requests": { noHost: "400", trace: "501", connect: "501", unknown: "400", longHeader: "431" },

  // Deno's server does not see a signal that was aborted before, and aborts a request's signal when it is answered, too.
  "serve's signal is aborted before": { finished: "done" },
  "serve's request is answered": { aborted: false },
};

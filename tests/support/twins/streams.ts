/**
 * Scripts about a connection's web streams.
 *
 * @module
 */
import { connected, resettable } from "./ends.ts";
import { did, type Script, type Scripts, soon, told, toldSoon, zeros } from "./side.ts";

/** More than both ends' buffers hold. */
const TOO_MUCH = 1 << 25;

const locks: Script = async (side) => {
  const [conn, end] = await connected(side);
  const same = [conn.readable === conn.readable, conn.writable === conn.writable];
  const reader = conn.readable.getReader(), writer = conn.writable.getWriter();
  const locked = [conn.readable.locked, conn.writable.locked];
  const second = [await told(() => conn.readable.getReader()), await told(() => conn.writable.getWriter())];
  reader.releaseLock();
  const byob = conn.readable.getReader({ mode: "byob" });
  await end.write(zeros(5));
  const into = await byob.read(zeros(100));
  const seen = {
    same,
    locked,
    second,
    into: [into.done, into.value?.length, into.value?.buffer.byteLength],
    empty: await did(writer.write(zeros(0))),
  };
  conn.close();
  end.close();
  return seen;
};

const readToEnd: Script = async (side) => {
  const [conn, end] = await connected(side);
  await end.write(zeros(5));
  await end.closeWrite();
  const reader = conn.readable.getReader();
  const first = await reader.read(), last = await reader.read();
  await soon();
  const seen = {
    read: [first.value?.length, last.done],
    write: await told(conn.write(zeros(1))),
    readAgain: await told(conn.read(zeros(1))),
    closeWrite: await did(conn.closeWrite()),
    close: await did(() => conn.close()),
    peer: await told(end.read(zeros(1))),
  };
  end.close();
  return seen;
};

const writeToEnd: Script = async (side) => {
  const [conn, end] = await connected(side);
  const writer = conn.writable.getWriter(), buffer = zeros(9);
  const seen = {
    write: [await did(writer.write(zeros(3))), await did(writer.close()), await did(writer.closed)],
    peer: [await told(end.read(buffer)), await told(end.read(buffer)), await told(end.write(zeros(1)))],
    read: await told(conn.read(zeros(1))),
    writeAgain: await told(conn.write(zeros(1))),
    close: await did(() => conn.close()),
  };
  end.close();
  return seen;
};

const canceled = (isReading: boolean, isUnread: boolean): Script => async (side) => {
  const [conn, end] = await connected(side);
  if (isUnread) await end.write(zeros(3));
  await soon();
  const reader = conn.readable.getReader();
  const reading = isReading ? told(reader.read()) : undefined;
  const seen = {
    cancel: await did(reader.cancel("why")),
    reading: await reading,
    read: await told(conn.read(zeros(1))),
    write: await told(conn.write(zeros(1))),
    close: await did(() => conn.close()),
    peer: await told(end.read(zeros(1))),
  };
  end.close();
  return seen;
};

const aborted: Script = async (side) => {
  const [conn, end] = await connected(side);
  const seen = {
    abort: await did(conn.writable.abort("why")),
    write: await told(conn.write(zeros(1))),
    read: await told(conn.read(zeros(1))),
    close: await did(() => conn.close()),
    peer: await told(end.read(zeros(1))),
  };
  end.close();
  return seen;
};

const abortedWhileWriting: Script = async (side) => {
  const [conn, end] = await connected(side);
  const writer = conn.writable.getWriter();
  const writing = told(writer.write(zeros(TOO_MUCH)));
  await soon(300);
  const aborting = did(writer.abort("why"));
  const seen = {
    before: [await toldSoon(aborting), await toldSoon(writing)],
    close: await did(() => conn.close()),
    after: [await aborting, await writing],
  };
  end.close();
  return seen;
};

const closedMeanwhile: Script = async (side) => {
  const [conn, end] = await connected(side);
  const reader = conn.readable.getReader(), writer = conn.writable.getWriter();
  const reading = told(reader.read()), writing = did(writer.write(zeros(TOO_MUCH)));
  await soon(300);
  conn.close();
  const seen = {
    reading: await reading,
    writing: await writing,
    closed: [await did(reader.closed), await did(writer.closed)],
  };
  end.close();
  return seen;
};

const echo = (howItEnds: (conn: Deno.TcpConn, abort: AbortController) => void): Script => async (side) => {
  const [conn, end] = await connected(side);
  const abort = new AbortController();
  const piping = did(conn.readable.pipeTo(conn.writable, { signal: abort.signal }));
  await end.write(zeros(1));
  const echoed = await told(end.read(zeros(9)));
  howItEnds(conn, abort);
  const seen = {
    echoed,
    piping: await piping,
    close: await did(() => conn.close()),
    peer: await told(end.read(zeros(1))),
  };
  end.close();
  return seen;
};

const echoToEnd: Script = async (side) => {
  const [conn, end] = await connected(side);
  const piping = did(conn.readable.pipeTo(conn.writable));
  await end.write(zeros(3));
  await end.closeWrite();
  const seen = {
    peer: [await told(end.read(zeros(9))), await told(end.read(zeros(9)))],
    piping: await piping,
    close: await did(() => conn.close()),
  };
  end.close();
  return seen;
};

const wrongChunk: Script = async (side) => {
  const [conn, end] = await connected(side);
  const writer = conn.writable.getWriter();
  const seen = {
    write: await told(writer.write("text" as unknown as Uint8Array)),
    closed: await toldSoon(writer.closed),
    then: await told(conn.write(zeros(1))),
    close: await did(() => conn.close()),
    peer: await told(end.read(zeros(9))),
  };
  end.close();
  return seen;
};

const resetWhileReading: Script = async (side) => {
  const [conn, end] = await resettable(side);
  const reader = conn.readable.getReader(), writer = conn.writable.getWriter();
  const reading = told(reader.read());
  await soon();
  end.resetAndDestroy();
  return {
    reading: await reading,
    again: await told(reader.read()),
    closed: await did(reader.closed),
    close: await did(() => conn.close()),
    write: await did(writer.write(zeros(1))),
  };
};

const resetThenWritten: Script = async (side) => {
  const [conn, end] = await resettable(side);
  const writer = conn.writable.getWriter();
  end.resetAndDestroy();
  await soon();
  return {
    write: [await did(writer.write(zeros(1))), await did(writer.write(zeros(1)))],
    closed: await did(writer.closed),
    close: await did(() => conn.close()),
    read: await told(conn.read(zeros(1))),
  };
};

/** All of them. */
export const STREAMS: Scripts = {
  "streams are locked, and read into one's own bytes": locks,
  "readable to its end": readToEnd,
  "writable to its end": writeToEnd,
  "readable canceled": canceled(false, false),
  "readable canceled while it is read": canceled(true, false),
  "readable canceled with something unread": canceled(false, true),
  "writable aborted": aborted,
  "writable aborted while a write waits": abortedWhileWriting,
  "closed while both streams wait": closedMeanwhile,
  "an echo by pipeTo": echoToEnd,
  "an echo by pipeTo, closed meanwhile": echo((conn) => conn.close()),
  "an echo by pipeTo, given up by its signal": echo((_, abort) => abort.abort()),
  "a chunk that is none": wrongChunk,
  "the peer resets while the readable waits": resetWhileReading,
  "the peer resets, then the writable": resetThenWritten,
};

/**
 * Scripts about connections: each moment at which one can be closed, ended or reset.
 *
 * @module
 */
import { closedUnread, connected, countToEnd, fill, resettable } from "./ends.ts";
import { did, type Script, type Scripts, type Seen, soon, told, toldSoon, zeros } from "./side.ts";

const usedAfterClose: Script = async (side) => {
  const [conn, end] = await connected(side);
  const { readable, writable } = conn;
  conn.close();
  const seen = {
    read: await told(() => conn.read(zeros(1))),
    readNothing: await told(() => conn.read(zeros(0))),
    write: await told(() => conn.write(zeros(1))),
    writeNothing: await told(() => conn.write(zeros(0))),
    closeWrite: await did(() => conn.closeWrite()),
    close: await did(() => conn.close()),
    dispose: await did(() => conn[Symbol.dispose]()),
    noDelay: await did(() => conn.setNoDelay()),
    keepAlive: await did(() => conn.setKeepAlive()),
    ref: await did(() => conn.ref()),
    unref: await did(() => conn.unref()),
    readable: await told(() => readable.getReader().read()),
    writable: await did(() => writable.getWriter().write(zeros(1))),
    peer: await told(end.read(zeros(1))),
  };
  end.close();
  return seen;
};

const options: Script = async (side) => {
  const [conn, end] = await connected(side);
  const seen = {
    noDelay: [await did(() => conn.setNoDelay()), await did(() => conn.setNoDelay(false))],
    keepAlive: [await did(() => conn.setKeepAlive()), await did(() => conn.setKeepAlive(false))],
    nothing: [await told(conn.read(zeros(0))), await told(conn.write(zeros(0)))],
    local: Object.keys(conn.localAddr).sort(),
    remote: Object.keys(conn.remoteAddr).sort(),
    disposable: [Symbol.dispose in conn, Symbol.asyncDispose in conn],
    text: await told(() => conn.write("text" as unknown as Uint8Array)),
    noBuffer: await told(() => conn.read(undefined as unknown as Uint8Array)),
    peer: await toldSoon(end.read(zeros(1)), 50),
  };
  conn.close();
  end.close();
  return seen;
};

const closedWhileReading: Script = async (side) => {
  const [conn, end] = await connected(side);
  const reading = told(conn.read(zeros(1)));
  await soon();
  conn.close();
  const seen = { reading: await reading, peer: await told(end.read(zeros(1))) };
  end.close();
  return seen;
};

const closedWhileWriting: Script = async (side) => {
  const [conn, end] = await connected(side);
  const { written, waiting } = await fill(conn);
  conn.close();
  const seen = { writing: await waiting, arrived: await countToEnd(end) === written };
  end.close();
  return seen;
};

const closedUnreadHere: Script = async (side) => {
  const [conn, end] = await connected(side);
  await end.write(zeros(2));
  await conn.read(zeros(1));
  conn.close();
  const seen = { peer: await told(end.read(zeros(1))) };
  end.close();
  return seen;
};

const twoReads: Script = async (side) => {
  const [conn, end] = await connected(side);
  const reads = [told(conn.read(zeros(1))), told(conn.read(zeros(1)))];
  await soon();
  await end.write(zeros(2));
  const seen = { reads: await Promise.all(reads) };
  conn.close();
  end.close();
  return seen;
};

const halfClosed: Script = async (side) => {
  const [conn, end] = await connected(side);
  return {
    once: await did(conn.closeWrite()),
    again: await did(conn.closeWrite()),
    write: await told(conn.write(zeros(1))),
    peer: [await told(end.read(zeros(1))), await told(end.write(zeros(1)))],
    read: await told(conn.read(zeros(1))),
    ends: await did(() => end.close()),
    end: [await told(conn.read(zeros(1))), await told(conn.read(zeros(1)))],
    writeAfter: await told(conn.write(zeros(1))),
    closeWrite: await did(conn.closeWrite()),
    close: await did(() => conn.close()),
    closeAgain: await did(() => conn.close()),
  };
};

const halfClosedThenClosed: Script = async (side) => {
  const [conn, end] = await connected(side);
  await conn.closeWrite();
  const reading = told(conn.read(zeros(1)));
  await soon();
  conn.close();
  const seen = { reading: await reading, peer: await told(end.read(zeros(1))) };
  end.close();
  return seen;
};

const peerEnds: Script = async (side) => {
  const [conn, end] = await connected(side);
  await end.write(zeros(1));
  await end.closeWrite();
  const seen = {
    read: await told(conn.read(zeros(1))),
    end: [await told(conn.read(zeros(1))), await told(conn.read(zeros(1)))],
    nothing: await told(conn.read(zeros(0))),
    write: await told(conn.write(zeros(1))),
    peer: await told(end.read(zeros(1))),
    closeWrite: [await did(conn.closeWrite()), await did(conn.closeWrite())],
    close: await did(() => conn.close()),
  };
  end.close();
  return seen;
};

/** What is told of a connection that is gone, reads first. */
async function readFirst(conn: Deno.TcpConn): Promise<Record<string, unknown>> {
  return {
    read: await told(conn.read(zeros(1))),
    readAgain: await told(conn.read(zeros(1))),
    write: await told(conn.write(zeros(1))),
    ...await rest(conn),
  };
}

/** The same, writes first. */
async function writeFirst(conn: Deno.TcpConn): Promise<Record<string, unknown>> {
  return {
    write: await told(conn.write(zeros(1))),
    writeAgain: await told(conn.write(zeros(1))),
    read: await told(conn.read(zeros(1))),
    ...await rest(conn),
  };
}

async function rest(conn: Deno.TcpConn): Promise<Record<string, unknown>> {
  return {
    closeWrite: await did(conn.closeWrite()),
    noDelay: await did(() => conn.setNoDelay()),
    keepAlive: await did(() => conn.setKeepAlive()),
    close: await did(() => conn.close()),
    closeAgain: await did(() => conn.close()),
  };
}

const endAndReset =
  (look: (conn: Deno.TcpConn) => Promise<Record<string, unknown>>): Script => async (side) => {
    const [conn, end] = await connected(side);
    await closedUnread(conn, end);
    await soon();
    return await look(conn);
  };

const reset = (look: (conn: Deno.TcpConn) => Promise<Record<string, unknown>>): Script => async (side) => {
  const [conn, end] = await resettable(side);
  end.resetAndDestroy();
  await soon();
  return await look(conn);
};

const resetWhileReading: Script = async (side) => {
  const [conn, end] = await resettable(side);
  const reading = told(conn.read(zeros(1)));
  await soon();
  end.resetAndDestroy();
  return { reading: await reading, ...await rest(conn) };
};

const readBehindReset = async (conn: Deno.TcpConn): Promise<Seen> => {
  await soon();
  return {
    data: await told(conn.read(zeros(9))),
    read: await told(conn.read(zeros(1))),
    ...await rest(conn),
  };
};

const resetBehindData: Script = async (side) => {
  const [conn, end] = await resettable(side);
  end.write(zeros(3));
  await soon();
  end.resetAndDestroy();
  return await readBehindReset(conn);
};

/** What the peer has not read makes a reset of its close; a peer of node:net's may end as soon as it hears of our end. */
const resetBehindDataAfterCloseWrite: Script = async (side) => {
  const [conn, end] = await connected(side);
  await conn.write(zeros(2));
  await conn.closeWrite();
  await end.read(zeros(1));
  await end.write(zeros(3));
  await soon();
  end.close();
  return await readBehindReset(conn);
};

const resetWhileWriting: Script = async (side) => {
  const [conn, end] = await resettable(side);
  const { waiting } = await fill(conn);
  end.resetAndDestroy();
  return { writing: await waiting, ...await rest(conn) };
};

/** The peer has closed, and answers what is written by a reset. */
const writtenInVain: Script = async (side) => {
  const [conn, end] = await connected(side);
  end.close();
  const end1 = await told(conn.read(zeros(1))), first = await told(conn.write(zeros(1)));
  await soon();
  return { end: end1, first, ...await writeFirst(conn) };
};

/** All of them. */
export const CONNECTIONS: Scripts = {
  "a connection's options": options,
  "used after close": usedAfterClose,
  "closed while a read waits": closedWhileReading,
  "closed while a write waits": closedWhileWriting,
  "closed with something unread": closedUnreadHere,
  "two reads at once": twoReads,
  "closeWrite": halfClosed,
  "closeWrite, then close while a read waits": halfClosedThenClosed,
  "the peer ends": peerEnds,
  "the peer ends and resets, then reads": endAndReset(readFirst),
  "the peer ends and resets, then writes": endAndReset(writeFirst),
  "the peer resets, then reads": reset(readFirst),
  "the peer resets, then writes": reset(writeFirst),
  "the peer resets, then nothing": reset(rest),
  "the peer resets while a read waits": resetWhileReading,
  "the peer resets while a write waits": resetWhileWriting,
  "the peer resets behind data": resetBehindData,
  "the peer resets behind data after closeWrite": resetBehindDataAfterCloseWrite,
  "written in vain": writtenInVain,
};

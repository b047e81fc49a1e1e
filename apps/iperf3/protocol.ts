/** What iperf3 speaks, as its version 3 does: one control connection, and data streams beside it. */

/** The server's port for all of it, TCP and UDP. */
export const PORT = 5_201;

/** What one side tells the other on the control connection, a byte each. */
export const State = {
  /** Server: all streams are there. */
  TestStart: 1,
  /** Server: data may flow. */
  TestRunning: 2,
  /** Client: that is enough. */
  TestEnd: 4,
  /** Server: tell what is wanted. */
  ParamExchange: 9,
  /** Server: open the streams. */
  CreateStreams: 10,
  /** Server: it was told to stop. */
  ServerTerminate: 11,
  /** Client: the same. */
  ClientTerminate: 12,
  /** Server: tell what was counted. */
  ExchangeResults: 13,
  /** Server: both have told. */
  DisplayResults: 14,
  /** Client: it is over. */
  IperfDone: 16,
  /** Server: something is wrong; two numbers of four bytes say what. */
  ServerError: 0xfe,
  /** Server: another test is running. */
  AccessDenied: 0xff,
} as const;

/** One of {@linkcode State}'s numbers. */
export type State = (typeof State)[keyof typeof State];

/** iperf3's numbers for what can be wrong, as far as we say them. */
export const Wrong = {
  Duration: 5,
  Streams: 6,
  BlockSize: 7,
  Omit: 12,
  NoSctp: 18,
  UdpBlockSize: 20,
  ReverseAndBidirectional: 25,
  Message: 110,
  Parameters: 114,
  Results: 117,
  Stream: 204,
  StreamClosed: 207,
  NoMessage: 144,
} as const;

/** One of {@linkcode Wrong}'s numbers. */
export type Wrong = (typeof Wrong)[keyof typeof Wrong];

/** What an error of a server means. */
export function wrongText(code: number): string {
  return TEXTS[code] ?? `its error ${code}`;
}

const TEXTS: Readonly<Record<number, string>> = {
  [Wrong.Duration]: "the test is too long",
  [Wrong.Streams]: "too many parallel streams",
  [Wrong.BlockSize]: "the blocks are too long",
  [Wrong.Omit]: "the time to omit is too long",
  [Wrong.NoSctp]: "it does not speak SCTP",
  [Wrong.UdpBlockSize]: "no datagram can have that length",
  [Wrong.ReverseAndBidirectional]: "a test is in reverse or in both directions",
  [Wrong.Message]: "it did not understand a message",
  [Wrong.Parameters]: "it did not understand the test's parameters",
  [Wrong.Results]: "it did not understand the results",
  [Wrong.Stream]: "it could not accept a stream",
  [Wrong.StreamClosed]: "a stream has closed",
  [Wrong.NoMessage]: "it has heard nothing for too long",
  // Of iperf3's own, those that a client may cause.
  27: "it allows no such total rate",
  142: "it wants a user name and a password, which are not supported",
};

/** The number that a stream has in results: there is no 2. */
export function streamId(index: number): number {
  return index === 0 ? 1 : index + 2;
}

/** A cookie: 36 characters and a zero. It tells which connections belong together. */
export const COOKIE_LENGTH = 37;

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

/** A cookie that nobody can foresee. */
export function makeCookie(): Uint8Array {
  const cookie = crypto.getRandomValues(new Uint8Array(COOKIE_LENGTH));
  for (let at = 0; at < COOKIE_LENGTH - 1; at++) cookie[at] = LETTERS.charCodeAt(cookie[at]! & 31);
  cookie[COOKIE_LENGTH - 1] = 0;
  return cookie;
}

/** Whether two cookies are one. */
export function sameCookie(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

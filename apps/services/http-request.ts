/** Requests of HTTP/1.1 (RFC 9112), as far as a server with one page needs to understand them. */

/** What is to be done with what has arrived. */
export interface Request {
  /** The status that it deserves: 200, or why not. */
  readonly status: 200 | 400 | 404 | 405 | 431 | 505;
  /** Whether only the header is wanted. */
  readonly isHead: boolean;
  /** Whether another request may follow. */
  readonly keepsAlive: boolean;
  /** How many bytes it takes up. */
  readonly length: number;
}

const LINE = /^([!#$%&'*+\-.^_`|~\w]+) (\S+) HTTP\/(\d)\.(\d)$/;
/** A line that may yet become one, as far as it has come. */
const LINE_SO_FAR =
  /^[!#$%&'*+\-.^_`|~\w]+(?: (?:\S+(?: (?:H(?:T(?:T(?:P(?:\/(?:\d(?:\.(?:\d\r?)?)?)?)?)?)?)?)?)?)?)?$/;
const FIELD = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/;
/** RFC 9112 3.2.2: the absolute form, which proxies are sent, is understood, too. */
const HOME = /^(?:http:\/\/[^/?#]+)?\/?(?:\?.*)?$/i;

/**
 * Reads the request at the start of `text`, each character of which is a byte. Undefined: its end is not there yet.
 * `isFull`: nor will it come, since there is no room for more.
 */
export function readRequest(text: string, isFull: boolean): Request | undefined {
  // RFC 9112 2.2: empty lines before are skipped, and a line may end without CR.
  const start = /^[\r\n]*/.exec(text)![0].length;
  const end = /\r?\n\r?\n/.exec(text.slice(start));
  if (end === null) {
    // What does not begin as a request has no empty line at its end that could be waited for.
    if (!mayBegin(text.slice(start))) return refusal(400, text.length);
    return isFull ? refusal(431, text.length) : undefined;
  }
  const length = start + end.index + end[0].length;
  const [line = "", ...fields] = text.slice(start, start + end.index).split(/\r?\n/);
  const [, method = "", target = "", major, minor] = LINE.exec(line) ?? [];
  if (major === undefined) return refusal(400, length);
  if (major !== "1") return refusal(505, length);
  let hosts = 0, hasBody = false, connection = "";
  for (const field of fields) {
    const [, name, value = ""] = FIELD.exec(field) ?? [];
    switch (name?.toLowerCase()) {
      case undefined:
        return refusal(400, length);
      case "host":
        hosts++;
        break;
      case "connection":
        connection += `,${value.toLowerCase()}`;
        break;
      case "transfer-encoding":
        hasBody = true;
        break;
      case "content-length":
        if (!/^\d+$/.test(value)) return refusal(400, length);
        hasBody ||= Number(value) > 0;
    }
  }
  // RFC 9112 3.2
  if (hosts > 1 || (hosts === 0 && minor !== "0")) return refusal(400, length);
  const options = connection.split(",").map((option) => option.trim());
  // RFC 9112 9.3. A body is not read, so that no request can be told from it.
  const keepsAlive = !hasBody && !options.includes("close") &&
    (minor !== "0" || options.includes("keep-alive"));
  const status = method !== "GET" && method !== "HEAD" ? 405 : HOME.test(target) ? 200 : 404;
  return { status, isHead: method === "HEAD", keepsAlive, length };
}

/** Whether the first line of `text`, or as much of it as there is, may be that of a request. */
function mayBegin(text: string): boolean {
  const end = text.indexOf("\n");
  if (end < 0) return text === "" || LINE_SO_FAR.test(text);
  return LINE.test(text.slice(0, end).replace(/\r$/, ""));
}

/** After what was not understood, nothing else is. */
function refusal(status: 400 | 431 | 505, length: number): Request {
  return { status, isHead: false, keepsAlive: false, length };
}

/** Why a transfer failed, with the exit statuses of curl(1). */
import { CliError } from "../cli/errors.ts";

/** What curl's exit statuses mean, as far as they are used. Its 2 and 3 are ours: wrong usage, no NIC. */
export const CurlStatus = {
  /** The host's name cannot be resolved. */
  Resolve: 6,
  /** No connection: refused, unreachable. */
  Connect: 7,
  /** The answer is no HTTP. */
  WeirdReply: 8,
  /** Less came than was announced. */
  Partial: 18,
  /** --fail, and the status is 400 or more. */
  HttpError: 22,
  /** The output cannot be written. */
  Write: 23,
  /** It took too long. */
  Timeout: 28,
  /** The TLS handshake failed. */
  Tls: 35,
  /** The peer ended the connection without a word. */
  Empty: 52,
  /** The connection broke. */
  Receive: 56,
  /** The peer's certificate cannot be trusted. */
  Certificate: 60,
} as const;

/** One of {@linkcode CurlStatus}'s numbers. */
export type CurlStatus = (typeof CurlStatus)[keyof typeof CurlStatus];

/** A transfer that failed. */
export class CurlError extends CliError {
  override readonly name: string = "CurlError";

  constructor(status: CurlStatus, message: string) {
    super(status, message);
  }
}

/** How far a transfer had come. */
export interface Progress {
  readonly isConnected: boolean;
  /** TLS is wanted and not there yet. */
  readonly isShakingHands: boolean;
}

/** What an error of a socket or of TLS means. */
export function failure(error: unknown, peer: string, progress: Progress): CliError {
  if (error instanceof CliError) return error;
  const { code, message } = error instanceof Error && "code" in error
    ? { code: String(error.code), message: error.message }
    : { code: "", message: String(error) };
  const { isConnected, isShakingHands } = progress;
  if (!isConnected) {
    if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
      const [, host = "the host", why = message] = /^getaddrinfo \w+ (\S+): (.*)$/.exec(message) ?? [];
      return new CurlError(CurlStatus.Resolve, `cannot resolve ${host}: ${why}`);
    }
    const why = REASONS[code] ?? message;
    const status = code === "ETIMEDOUT" ? CurlStatus.Timeout : CurlStatus.Connect;
    return new CurlError(status, `no connection to ${peer}: ${why}`);
  }
  if (/CERT|SELF_SIGNED|ISSUER|certificate|UnknownIssuer/i.test(`${code} ${message}`)) {
    const remedy = "--insecure does without trust";
    return new CurlError(
      CurlStatus.Certificate,
      `the certificate of ${peer} is not trusted: ${message}; ${remedy}`,
    );
  }
  if (isShakingHands) return new CurlError(CurlStatus.Tls, `no TLS with ${peer}: ${message}`);
  return new CurlError(CurlStatus.Receive, `the connection to ${peer} broke: ${REASONS[code] ?? message}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by the peer",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "nobody answers there, or a router says that it cannot be reached",
  ENETUNREACH: "there is no way to it",
};

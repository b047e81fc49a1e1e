/** What a URL asks for. */
import { Address } from "../../mod.ts";
import { UsageError } from "../cli/errors.ts";
import { hostAddress } from "../cli/parse.ts";
import { CurlError, CurlStatus } from "./failure.ts";

/** A host, and what is wanted of it. */
export interface Target {
  readonly address: Address;
  readonly port: number;
  readonly isTls: boolean;
  /** The value of the header Host. */
  readonly host: string;
  /** The request's target. */
  readonly path: string;
}

/** Reads an http or https URL; without a scheme it is http. Throws a CliError. */
export function parseTarget(text: string): Target {
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null) throw new UsageError(`URL: "${text}" is none; write one, as in http://10.0.0.2/`);
  const { protocol, hostname, host, pathname, search, username } = url;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new UsageError(`URL: "${protocol.slice(0, -1)}" is not spoken; allowed is http and https`);
  }
  if (username !== "") {
    throw new UsageError('URL: user names are not supported; write -H "Authorization: ..."');
  }
  const isTls = protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const isLiteral = /^[\d.]+$/.test(hostname) || hostname.startsWith("[");
  if (!isLiteral) {
    throw new CurlError(
      CurlStatus.Resolve,
      `cannot resolve ${hostname}: names are not looked up yet; write an IPv4 address`,
    );
  }
  if (port === 0) throw new UsageError("URL: 0 is no port; write a whole number from 1 to 65535");
  const address = hostAddress("URL", hostname.replaceAll(/[[\]]/g, ""));
  return { address, port, isTls, host, path: pathname + search };
}

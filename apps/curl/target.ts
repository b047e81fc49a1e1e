/** What a URL asks for. */
import type { Address } from "../../mod.ts";
import { UsageError } from "../cli/errors.ts";
import { host as parseHost } from "../cli/parse.ts";

/** A host, and what is wanted of it. */
export interface Target {
  /** Its address; undefined: it is to be found out from the name. */
  readonly address: Address | undefined;
  /** Its address or its name. */
  readonly hostname: string;
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
  if (url === null) throw new UsageError(`"${text}" is no URL; write one, as in http://10.0.0.2/`);
  const { protocol, hostname, host, pathname, search, username } = url;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new UsageError(`URL: "${protocol.slice(0, -1)}" is not spoken; allowed is http and https`);
  }
  if (username !== "") {
    throw new UsageError('URL: user names are not supported; write -H "Authorization: ..."');
  }
  const isTls = protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  if (port === 0) throw new UsageError("URL: 0 is no port; write a whole number from 1 to 65535");
  const named = parseHost("URL", hostname.replaceAll(/[[\]]/g, ""));
  const address = typeof named === "string" ? undefined : named;
  return { address, hostname: String(named), port, isTls, host, path: pathname + search };
}

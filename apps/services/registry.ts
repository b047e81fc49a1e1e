/** All services there are, and how the command line names them. */
import type { Appliance } from "../appliance.ts";
import { UsageError } from "../cli/errors.ts";
import { table } from "../cli/format.ts";
import { chargen } from "./chargen.ts";
import { dhcp } from "./dhcp.ts";
import { discard } from "./discard.ts";
import { http } from "./http.ts";
import type { Service, ServiceChoice } from "./service.ts";
import { tcpEcho } from "./tcp-echo.ts";
import { udpEcho } from "./udp-echo.ts";

/** What can be asked for, beside ping, which is always on. */
export const SERVICES: readonly Service[] = [udpEcho, tcpEcho, discard, chargen, http, dhcp];

/** The service that needs no asking. */
export const PING = "ping";

/** Every name that `serve` takes, for completion. */
export const SERVICE_NAMES: readonly string[] = [PING, ...SERVICES.map(({ name }) => name)];

const FORMS = [PING, ...SERVICES.map(formOf)].join(", ");

function formOf({ name, port, form }: Service): string {
  return form ?? `${name}[:${port}]`;
}

/** The lines of the help. */
export function servicesHelp(): string {
  const rows = SERVICES.map((service) => [`  ${formOf(service)}`, service.meaning]);
  return table([[`  ${PING}`, "ARP and ICMP echo requests; always on"], ...rows]).join("\n");
}

/** One more service: NAME or NAME:PORT. Throws a {@linkcode UsageError}. */
export function parseService(
  text: string,
  previous: readonly ServiceChoice[] = [],
): readonly ServiceChoice[] {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  if (name === PING) {
    if (colon < 0) return previous;
    throw new UsageError(`serve: "${text}": ping has no port; write ping`);
  }
  const service = SERVICES.find((known) => known.name === name);
  if (service === undefined) {
    throw new UsageError(`serve: there is no service "${name}" in this version; allowed is ${FORMS}`);
  }
  const setting = colon < 0 ? undefined : text.slice(colon + 1);
  if (setting !== undefined) service.check?.(text, setting);
  const port = setting === undefined || service.check !== undefined ? service.port : portOf(text, setting);
  const other = previous.find((one) => one.port === port && one.service.transport === service.transport);
  if (other !== undefined) {
    if (service.check !== undefined) throw new UsageError(`serve: "${text}": ${name} is there already`);
    const taken = `${other.service.name} already has ${service.transport.toUpperCase()} port ${port}`;
    throw new UsageError(`serve: "${text}": ${taken}; write another one, as ${service.name}:PORT`);
  }
  const own = service.check === undefined || setting === undefined ? {} : { setting };
  return [...previous, { service, port, ...own }];
}

function portOf(text: string, digits: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port >= 1 && port <= 0xffff) return port;
  throw new UsageError(`serve: "${text}": "${digits}" is no port; write a whole number from 1 to 65535`);
}

/** How a service is called that runs: "udp-echo:7". */
export function labelOf({ service, port }: ServiceChoice): string {
  return service.check === undefined ? `${service.name}:${port}` : service.name;
}

/** Starts services on a host. */
export function startServices(host: Appliance, choices: readonly ServiceChoice[]): void {
  for (const choice of choices) {
    const { service, port, setting } = choice;
    host.services.push({ label: labelOf(choice), counters: service.start(host, port, setting) });
  }
}

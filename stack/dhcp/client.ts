/**
 * The DHCP client (RFC 2131 4.4): a state machine that leases an address, keeps it and gives it back.
 *
 * It takes UDP port 68, is asked for datagrams like any sender (`udp.send(client)`), and puts what it is leased into the
 * host's tables. What happens to the lease is to be fetched by {@linkcode DhcpClient.nextEvent}, between poll cycles.
 *
 * @module
 */
import type { TimedSender } from "../handler.ts";
import { AddressState } from "../host/own-address.ts";
import type { Ip } from "../ip/endpoint.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import type { Binding } from "../udp/bindings.ts";
import type { Udp } from "../udp/endpoint.ts";
import type { UdpIn, UdpRaw } from "../udp/packet.ts";
import { Address } from "../wire/address.ts";
import * as dhcp from "../wire/dhcpv4.ts";
import { WireError } from "../wire/error.ts";
import { Mac } from "../wire/mac.ts";
import { fraction } from "./backoff.ts";
import { BROADCAST, Exchange } from "./exchange.ts";
import { isAsked, isAwaited, type Wish } from "./expected.ts";
import { Installation } from "./install.ts";
import { addressOption, type Lease, messageType, readLease } from "./lease.ts";
import { DhcpClientCounters, type DhcpEvent, type DhcpLoss, DhcpState } from "./state.ts";

const { MessageType } = dhcp;

/** Looks whether somebody else has an address (RFC 5227 2.1). */
export interface AddressProbe {
  /** Begins to look, in place of what it looked for before. */
  readonly begin: (address: Address) => void;
  /** What was found; undefined: nothing yet. It is asked whenever its host sends. */
  readonly isFree: () => boolean | undefined;
}

/** A lease of an earlier life: what {@linkcode DhcpClient.lease} was then. */
export interface HeldLease {
  /** The lease. */
  readonly lease: Lease;
  /** How many seconds of it are left; {@linkcode Infinity}: it has no end. */
  readonly remaining: number;
}

/** How a {@linkcode DhcpClient} is set up. */
export interface DhcpClientOptions {
  /** Whose tables get the address and the routes. */
  readonly ip: Ip;
  /** Whose port 68 it takes. */
  readonly udp: Udp;
  /** The own hardware address. */
  readonly mac: Mac;
  /** Answers with 32 random bits, which nobody can foresee: they keep forged replies out. */
  readonly random: () => number;
  /** The own name, which servers may put into DNS. */
  readonly hostname?: string;
  /** Tells this client from others (RFC 2132 9.14). Default: its hardware address. */
  readonly clientIdentifier?: Uint8Array;
  /**
   * What it had in an earlier life, which is asked for first (INIT-REBOOT). Where no server answers, an address is given
   * up, and a lease is used for as long as it lasts (RFC 2131 3.2 (3)).
   */
  readonly previous?: Address | HeldLease;
  /** Looks whether an address is free before it is used. Default: servers are trusted in that. */
  readonly probe?: AddressProbe;
}

/** RFC 2131 3.1 (5): requests that are unanswered for a minute; then it begins again. */
const REQUESTS = 4;
/** RFC 2131 3.2 (3): requests for an address that it had. */
const REBOOTS = 2;
/** RFC 2131 3.1 (5): the least wait after an address was declined. */
const DECLINED: Instant = seconds(10);
/** RFC 2131 4.4.5: renewals are not repeated within a minute. */
const RENEWAL_LEAST: Instant = seconds(60);
/** Events that nobody takes; the oldest go. */
const EVENTS_MAX = 16;

/** A client of one interface. */
export class DhcpClient implements TimedSender<UdpRaw> {
  /** What passed and what was dropped. */
  readonly counters: DhcpClientCounters = new DhcpClientCounters();
  readonly #options: DhcpClientOptions;
  readonly #exchange: Exchange;
  readonly #installation: Installation;
  readonly #binding: Binding;
  readonly #events: DhcpEvent[] = [];
  readonly #mac = new Mac();
  #state: DhcpState = DhcpState.Init;
  /** When the next message is due; {@linkcode NEVER}: none is. */
  #due: Instant = 0;
  /** When the state ends by itself. */
  #until: Instant = NEVER;
  /** When the last request was sent: leases count from there (RFC 2131 4.4.1). */
  #asked: Instant = 0;
  /** What was offered, is being looked at, or is being declined. */
  #candidate: Lease | undefined;
  #lease: Lease | undefined;
  /** When the lease was asked for. */
  #start: Instant = 0;
  #wanted: Address | undefined;
  /** What is left of an earlier life, and until when; {@linkcode NEVER}: from the first message on that is to be told. */
  #held: HeldLease | undefined;
  #heldUntil: Instant = NEVER;
  #refusals = 0;

  /** A client that begins when it is first asked. Throws an Error if port 68 is taken. */
  constructor(options: DhcpClientOptions) {
    const { ip, udp, mac, random, hostname, clientIdentifier } = options;
    const binding = udp.bind({ port: dhcp.CLIENT_PORT }, (packet) => this.receive(packet));
    if (binding === undefined) throw new Error("UDP port 68 is taken, so no address can be leased");
    this.#binding = binding;
    this.#options = options;
    const own = new Uint8Array(7);
    own[0] = 1;
    mac.write(own, 1);
    const identity = {
      mac,
      identifier: clientIdentifier ?? own,
      hostname: hostname === undefined ? undefined : new TextEncoder().encode(hostname).slice(0, 63),
    };
    this.#exchange = new Exchange(identity, random, this.counters);
    this.#installation = new Installation(ip);
    const { previous } = options;
    this.#held = previous instanceof Address ? undefined : previous;
    this.#begin(0, previous instanceof Address ? previous : previous?.lease.address);
  }

  /** Where it stands. */
  get state(): DhcpState {
    return this.#state;
  }

  /** What it is leased; undefined: nothing. */
  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** When the lease ends unless it is renewed; {@linkcode NEVER}: there is none, or it never does. */
  get expires(): Instant {
    return this.#lease === undefined ? NEVER : this.#start + seconds(this.#lease.duration);
  }

  /** The next thing that happened and was not taken yet. */
  nextEvent(): DhcpEvent | undefined {
    return this.#events.shift();
  }

  /** Gives the lease back (RFC 2131 4.4.6): the next datagram tells the server, and then the address is gone. */
  stop(): void {
    if (this.#state === DhcpState.Stopped) return;
    if (this.#lease === undefined) return this.#stopped();
    this.#enter(DhcpState.Releasing, 0, NEVER);
  }

  /** The cable may have been put in elsewhere: asks whether the lease is still good there (RFC 2131 3.7). */
  confirm(): void {
    const lease = this.#lease;
    if (lease === undefined || this.#state === DhcpState.Releasing) return;
    this.#begin(0, lease.address);
    this.#until = this.expires;
  }

  /** Somebody else uses an address (RFC 5227 2.4): if it is the leased one, it is declined and another one leased. */
  conflict(address: Address): void {
    const lease = this.#lease;
    if (lease === undefined || !lease.address.equals(address)) return;
    this.#lose("conflict");
    this.#decline(lease);
  }

  /** Takes a datagram that came to the client's port. */
  receive(packet: UdpIn): void {
    const { frame: { bytes, end }, payloadAt: at } = packet;
    const { counters } = this;
    if (dhcp.check(bytes, at, end) !== WireError.None || dhcp.op(bytes, at) !== dhcp.Op.Reply) {
      counters.malformed++;
      return;
    }
    const isOurs = this.#mac.read(bytes, at + dhcp.CLIENT_MAC).equals(this.#options.mac);
    if (!isOurs || dhcp.xid(bytes, at) !== this.#exchange.xid || packet.sourcePort !== dhcp.SERVER_PORT) {
      counters.stray++;
      return;
    }
    const type = messageType(bytes, at, end);
    const server = addressOption(bytes, at, end, dhcp.Option.ServerIdentifier);
    if (!isAwaited(this.#wish, type, server)) {
      counters.unexpected++;
      return;
    }
    const now = packet.info.timestamp;
    if (type === MessageType.Nak) {
      counters.received++;
      return this.#refused(now);
    }
    const lease = readLease(bytes, at, end);
    if (lease === undefined || !isAsked(this.#wish, lease.address)) {
      counters.unusable++;
      return;
    }
    counters.received++;
    if (type === MessageType.Offer) this.#choose(lease, now);
    else this.#granted(lease);
  }

  send(raw: UdpRaw): void {
    const now = raw.info.timestamp;
    if (this.#state === DhcpState.Checking) this.#look();
    if (this.#lease !== undefined) this.#watch(this.#lease);
    while (now >= this.#until) this.#advance(now);
    if (now >= this.#due) this.#speak(raw, now);
  }

  deadline(): Instant {
    return Math.min(this.#due, this.#until);
  }

  #enter(state: DhcpState, due: Instant, until: Instant): void {
    this.#state = state;
    this.#due = due;
    this.#until = until;
  }

  /** Begins at `at`: by asking for the `previous` address (RFC 2131 3.2), or by calling for servers. */
  #begin(at: Instant, previous?: Address): void {
    if (previous !== undefined) this.#wanted = new Address().copy(previous);
    this.#candidate = undefined;
    this.#exchange.begin();
    this.#enter(previous === undefined ? DhcpState.Init : DhcpState.Rebooting, at, NEVER);
  }

  get #wish(): Wish {
    return { state: this.#state, candidate: this.#candidate, lease: this.#lease, wanted: this.#wanted };
  }

  /** The first offer that can be used is taken (RFC 2131 4.4.1 leaves the choice to the client). */
  #choose(lease: Lease, now: Instant): void {
    this.#candidate = lease;
    this.#exchange.backoff.reset();
    this.#enter(DhcpState.Requesting, now, NEVER);
  }

  #granted(lease: Lease): void {
    const { probe } = this.#options;
    if (this.#lease !== undefined || probe === undefined) return this.#bind(lease);
    this.#candidate = lease;
    this.#enter(DhcpState.Checking, NEVER, NEVER);
    probe.begin(lease.address);
  }

  /** RFC 2131 3.2 (3): nobody confirms what is left of an earlier life, and it may be used to its end. */
  #resume(lease: Lease, now: Instant): void {
    this.#asked = Number.isFinite(lease.duration) ? this.#heldUntil - seconds(lease.duration) : now;
    this.#granted(lease);
  }

  /** RFC 2131 4.4.1: the client should see whether somebody has the address that it was given. */
  #look(): void {
    const isFree = this.#options.probe?.isFree();
    if (isFree === true) this.#bind(this.#candidate!);
    else if (isFree === false) this.#decline(this.#candidate!);
  }

  /** RFC 5227 2.4 (b): somebody else has claimed the address and did not yield. */
  #watch(lease: Lease): void {
    const state = this.#options.ip.addresses.find(lease.address)?.state;
    if (state === AddressState.Duplicate) this.conflict(lease.address);
  }

  #bind(lease: Lease): void {
    const kind = this.#lease === undefined ? "bound" : "renewed";
    this.#lease = lease;
    this.#start = this.#asked;
    this.#wanted = lease.address;
    this.#candidate = undefined;
    this.#held = undefined;
    this.#refusals = 0;
    this.#installation.put(lease);
    // RFC 2131 4.4.5: with some chance, lest clients that started together renew together.
    const early = fraction(this.#options.random) / 16;
    this.#enter(DhcpState.Bound, NEVER, this.#start + seconds(lease.renewal * (1 - early)));
    this.#tell({ kind, lease });
  }

  #decline(lease: Lease): void {
    this.#candidate = lease;
    this.#wanted = undefined;
    this.#held = undefined;
    this.#exchange.begin();
    this.#enter(DhcpState.Declining, 0, NEVER);
    this.#tell({ kind: "declined", address: lease.address });
  }

  /** A NAK: what is asked for cannot be had here. Whoever is refused time and again waits ever longer. */
  #refused(now: Instant): void {
    if (this.#lease !== undefined) this.#lose("refused");
    this.#wanted = undefined;
    this.#held = undefined;
    this.#refusals++;
    this.#begin(now + seconds(Math.min(64, 2 ** this.#refusals) - 2));
  }

  #lose(reason: DhcpLoss): void {
    const { address } = this.#lease!;
    this.#installation.remove();
    this.#lease = undefined;
    this.#tell({ kind: "lost", reason, address });
  }

  #stopped(): void {
    if (this.#lease !== undefined) this.#lose("released");
    this.#binding.close();
    this.#enter(DhcpState.Stopped, NEVER, NEVER);
  }

  #tell(event: DhcpEvent): void {
    if (this.#events.length === EVENTS_MAX) this.#events.shift();
    this.#events.push(event);
  }

  /** What ends by time alone (RFC 2131 4.4.5). */
  #advance(now: Instant): void {
    const lease = this.#lease;
    if (lease === undefined) return this.#enter(this.#state, this.#due, NEVER);
    if (now >= this.expires) {
      this.#lose("expired");
      this.#begin(now);
    } else if (this.#state === DhcpState.Bound) {
      this.#exchange.begin();
      this.#enter(DhcpState.Renewing, now, this.#start + seconds(lease.rebinding));
    } else this.#enter(DhcpState.Rebinding, now, this.expires);
  }

  #speak(raw: UdpRaw, now: Instant): void {
    const lease = this.#lease;
    switch (this.#state) {
      case DhcpState.Init:
      case DhcpState.Selecting:
        return this.#discover(raw, now);
      case DhcpState.Requesting:
      case DhcpState.Rebooting:
        return this.#request(raw, now);
      case DhcpState.Renewing:
        return this.#renew(raw, now, lease!.server);
      case DhcpState.Rebinding:
        return this.#renew(raw, now, BROADCAST);
      case DhcpState.Declining: {
        const { address, server } = this.#candidate!;
        this.#exchange.send(raw, { type: MessageType.Decline, requested: address, server }, BROADCAST);
        return this.#begin(now + DECLINED);
      }
      case DhcpState.Releasing: {
        const { address, server } = lease!;
        this.#due = this.#exchange.send(raw, { type: MessageType.Release, own: address, server }, server);
        if (this.#due === NEVER) this.#stopped();
        return;
      }
      default:
        this.#due = NEVER;
    }
  }

  #discover(raw: UdpRaw, now: Instant): void {
    const { backoff: { count } } = this.#exchange;
    if (count > 0) this.#tell({ kind: "silence", tries: count });
    this.#state = DhcpState.Selecting;
    this.#exchange.send(raw, { type: MessageType.Discover, requested: this.#wanted }, BROADCAST);
    this.#due = now + this.#exchange.backoff.next();
  }

  #request(raw: UdpRaw, now: Instant): void {
    const isReboot = this.#state === DhcpState.Rebooting;
    const held = this.#held;
    if (held !== undefined && this.#exchange.backoff.count === 0) {
      this.#heldUntil = now + seconds(held.remaining);
    }
    if (this.#exchange.backoff.count >= (isReboot ? REBOOTS : REQUESTS)) {
      // RFC 2131 3.2 (4): a lease that nobody confirms may be used to its end.
      if (this.#lease !== undefined) this.#enter(DhcpState.Rebinding, now, this.expires);
      else if (isReboot && held !== undefined && this.#heldUntil > now) this.#resume(held.lease, now);
      else this.#begin(now);
      return;
    }
    const { address, server } = isReboot ? { address: this.#wanted, server: undefined } : this.#candidate!;
    this.#exchange.send(raw, { type: MessageType.Request, requested: address, server }, BROADCAST, !isReboot);
    this.#asked = now;
    this.#due = now + this.#exchange.backoff.next();
  }

  #renew(raw: UdpRaw, now: Instant, to: Address): void {
    const { address } = this.#lease!;
    this.#due = this.#exchange.send(raw, { type: MessageType.Request, own: address }, to);
    if (this.#due < NEVER) return;
    this.#asked = now;
    // RFC 2131 4.4.5: again after half of the time that is left, but not within a minute.
    const again = now + Math.max(RENEWAL_LEAST, Math.round((this.#until - now) / 2));
    this.#due = again < this.#until ? again : NEVER;
  }
}

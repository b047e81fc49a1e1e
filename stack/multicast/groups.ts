/**
 * The groups of one family that a host is in, and what is to be said of them and when: the host's part of IGMP and MLD,
 * which are one protocol (RFC 3376 5 and 7.2, RFC 3810 6 and 8.2). All groups are listened to whoever sends.
 *
 * @module
 */
import type { Random } from "../loss/random.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";

// RFC 3376 8, RFC 3810 9: Robustness Variable, Unsolicited Report Interval of the latest and of older versions, and
// Older Version Querier Present Timeout with the default intervals.
const ROBUSTNESS = 2;
const UNSOLICITED = seconds(1), UNSOLICITED_OLD = seconds(10);
const OLD_QUERIER = seconds(260);

/** Records that one report has at most. */
export const RECORDS_MAX = 32;

/** A group that the host is in, or was until just now. */
export class Group {
  readonly address: Address = new Address();
  isMember = true;
  /** How often the last change is still to be told of, and when next. */
  changes = ROBUSTNESS;
  changeAt: Instant = 0;
  /** When a query about it is to be answered. */
  answerAt: Instant = NEVER;
}

/** What is to be said of some groups: that they have changed, or how they are. */
export interface Report {
  readonly groups: readonly Group[];
  readonly isChange: boolean;
}

/** The groups of a family, and the version of its protocol that their routers speak. */
export class Groups {
  /** The latest version of the protocol. */
  readonly latest: number;
  readonly #random: Random;
  #list: Group[] = [];
  /** Until when routers of the versions below the latest are there, by version. */
  readonly #oldUntil: Instant[];
  #answerAllAt: Instant = NEVER;

  /** None yet. */
  constructor(latest: number, random: Random) {
    this.latest = latest;
    this.#random = random;
    this.#oldUntil = new Array<Instant>(latest).fill(-1);
  }

  /** The version to speak: the oldest of the routers on the link. */
  version(now: Instant): number {
    for (let version = 1; version < this.latest; version++) {
      if (this.#oldUntil[version]! > now) return version;
    }
    return this.latest;
  }

  /** Takes over which groups the host is in. */
  follow(wanted: readonly Address[], now: Instant): void {
    for (const group of this.#list) {
      if (group.isMember !== wanted.some((address) => address.equals(group.address))) {
        this.#change(group, now);
      }
    }
    for (const address of wanted) {
      if (this.#list.some((group) => group.address.equals(address))) continue;
      const group = new Group();
      group.address.copy(address);
      group.changeAt = now;
      this.#list.push(group);
    }
  }

  #change(group: Group, now: Instant): void {
    group.isMember = !group.isMember;
    group.changes = ROBUSTNESS;
    group.changeAt = now;
    group.answerAt = NEVER;
  }

  /** Tells of all groups that the host is in as if they had just been joined. */
  repeat(now: Instant): void {
    for (const group of this.#list) {
      if (!group.isMember) continue;
      group.changes = ROBUSTNESS;
      group.changeAt = now;
    }
  }

  /** A query of a version: about all groups, or about one. It is to be answered within `limit`. */
  query(version: number, about: Address | undefined, limit: Instant, now: Instant): void {
    if (version < this.latest) this.#oldUntil[version] = now + OLD_QUERIER;
    if (about === undefined && this.version(now) === this.latest) {
      this.#answerAllAt = Math.min(this.#answerAllAt, now + this.#delay(limit));
      return;
    }
    for (const group of this.#list) {
      if (!group.isMember || (about !== undefined && !group.address.equals(about))) continue;
      group.answerAt = Math.min(group.answerAt, now + this.#delay(limit));
    }
  }

  /** RFC 2236 3, RFC 2710 4: in old versions one host's report does for all. */
  reported(address: Address, now: Instant): void {
    if (this.version(now) === this.latest) return;
    for (const group of this.#list) {
      if (group.address.equals(address)) group.answerAt = NEVER;
    }
  }

  /** What is to be said now, counted as said; undefined: nothing. In old versions it is about one group. */
  next(now: Instant): Report | undefined {
    const most = this.version(now) === this.latest ? RECORDS_MAX : 1;
    const changed = this.#list.filter(({ changes, changeAt }) => changes > 0 && changeAt <= now).slice(
      0,
      most,
    );
    if (changed.length > 0) {
      for (const group of changed) this.#told(group, now);
      this.#list = this.#list.filter(({ isMember, changes }) => isMember || changes > 0);
      return { groups: changed, isChange: true };
    }
    if (this.#answerAllAt <= now) {
      this.#answerAllAt = NEVER;
      for (const group of this.#list) if (group.isMember) group.answerAt = now;
    }
    const asked = this.#list.filter(({ answerAt }) => answerAt <= now).slice(0, most);
    for (const group of asked) group.answerAt = NEVER;
    return asked.length > 0 ? { groups: asked, isChange: false } : undefined;
  }

  /** RFC 3376 5.1: a change is told of again after a random time, in case it was lost. */
  #told(group: Group, now: Instant): void {
    const isLatest = this.version(now) === this.latest;
    // RFC 2236 3: a leave is not repeated.
    group.changes = isLatest || group.isMember ? group.changes - 1 : 0;
    group.changeAt = now + this.#delay(isLatest ? UNSOLICITED : UNSOLICITED_OLD);
  }

  /** When there is something to say next. */
  deadline(): Instant {
    return this.#list.reduce((least, { changes, changeAt, answerAt }) => {
      return Math.min(least, answerAt, changes > 0 ? changeAt : NEVER);
    }, this.#answerAllAt);
  }

  /** A random time of at most `limit`, and more than none. */
  #delay(limit: Instant): Instant {
    return 1 + Math.floor(this.#random.fraction() * limit);
  }
}

/**
 * The credentials of the policy fold, with what the limits count (D24): live ones per person and cluster, issued ones
 * and refused attempts per person and hour. A record is dropped an hour after its end, because a missing record denies
 * just as well, so memory follows the credentials that live and not those that ever were.
 */
import type { CredentialFact } from '@clustral/schemas/events/credential.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId, CredentialId, UserId } from '@clustral/schemas/ids.ts';
import {
  evolveCredential,
  initialCredential,
  type CredentialCounts,
  type CredentialState,
  type KnownCredential,
} from './domain/credential.ts';

const hourSeconds = 3_600;

/** When something happened to whom: whole seconds since the epoch, in log order. */
type HourlyParts = Iterable<readonly [string, readonly number[]]>;

/** What the index holds, in its order. `newestSeconds`: the latest clock by which it forgot anything. */
export type CredentialParts = {
  readonly credentials: Iterable<KnownCredential>;
  readonly issuedLately: HourlyParts;
  readonly deniedLately: HourlyParts;
  readonly newestSeconds: number;
};

export const noCredentials: CredentialParts = {
  credentials: [],
  issuedLately: [],
  deniedLately: [],
  newestSeconds: 0,
};

export class CredentialIndex {
  readonly #byId = new Map<CredentialId, KnownCredential>();
  readonly #byPair = new Map<string, Set<CredentialId>>();
  readonly #dropAt = new Map<number, CredentialId[]>();
  readonly #issued: HourlyCounts;
  readonly #denied: HourlyCounts;
  #newestSeconds: number;

  /** Parts from before `nowSeconds` become the index that their facts would give now: what ended long ago is left out. */
  constructor(parts: CredentialParts, nowSeconds: number) {
    this.#issued = new HourlyCounts(parts.issuedLately);
    this.#denied = new HourlyCounts(parts.deniedLately);
    this.#newestSeconds = Math.max(parts.newestSeconds, nowSeconds);
    for (const credential of parts.credentials) {
      if (endedLongAgo(credential, nowSeconds)) continue;
      this.#byId.set(credential.credentialId, credential);
      this.#remember(credential);
    }
  }

  parts(): CredentialParts {
    return {
      credentials: [...this.#byId.values()],
      issuedLately: this.#issued.parts(),
      deniedLately: this.#denied.parts(),
      newestSeconds: this.#newestSeconds,
    };
  }

  /** Folds a fact. Facts that ended more than an hour before `nowSeconds` leave nothing. */
  take(fact: Recorded<CredentialFact>, nowSeconds: number): void {
    this.#newestSeconds = Math.max(this.#newestSeconds, nowSeconds);
    this.#sweep(nowSeconds);
    const recordedSeconds = Math.floor(fact.recordedAt.getTime() / 1000);
    if (fact.type === 'credential.revoke_denied') this.#denied.add(fact.metadata.actor.id, recordedSeconds, nowSeconds);
    if (fact.type === 'credential.issue_failed') this.#issued.add(fact.data.userId, recordedSeconds, nowSeconds);
    if (fact.type === 'credential.issued') {
      this.#issued.add(fact.data.userId, fact.data.issuedAtSeconds, nowSeconds);
      if (endedLongAgo(fact.data, nowSeconds)) return;
    }
    const { credentialId } = fact.data;
    const before: CredentialState = this.#byId.get(credentialId) ?? initialCredential;
    const after = evolveCredential(before, fact);
    if (after.status === 'absent') return;
    this.#byId.set(credentialId, after);
    if (before.status === 'absent') this.#remember(after);
  }

  get(id: CredentialId): KnownCredential | undefined {
    return this.#byId.get(id);
  }

  /** Those that are neither revoked nor over. */
  *live(nowSeconds: number): Iterable<KnownCredential> {
    for (const credential of this.#byId.values()) if (isLive(credential, nowSeconds)) yield credential;
  }

  counts(userId: UserId, clusterId: ClusterId, nowSeconds: number): CredentialCounts {
    const ends: number[] = [];
    for (const id of this.#byPair.get(pairOf(userId, clusterId)) ?? []) {
      const credential = this.#byId.get(id);
      if (credential && isLive(credential, nowSeconds)) ends.push(credential.expiresAtSeconds);
    }
    const issued = this.#issued.within(userId, nowSeconds);
    return {
      live: ends.length,
      firstLiveEndsAtSeconds: ends.reduce((least, end) => Math.min(least, end), Infinity),
      issuedLastHour: issued.length,
      hourFreesAtSeconds: (issued[0] ?? nowSeconds) + hourSeconds,
    };
  }

  /** How many attempts to revoke something that is not theirs were recorded of this actor within the last hour. */
  deniedLastHour(actorId: string, nowSeconds: number): number {
    return this.#denied.within(actorId, nowSeconds).length;
  }

  #remember(credential: KnownCredential): void {
    const { credentialId, userId, clusterId, expiresAtSeconds } = credential;
    const pair = pairOf(userId, clusterId);
    this.#byPair.set(pair, (this.#byPair.get(pair) ?? new Set()).add(credentialId));
    const hour = Math.floor(expiresAtSeconds / hourSeconds) + 2;
    const due = this.#dropAt.get(hour);
    if (due) due.push(credentialId);
    else this.#dropAt.set(hour, [credentialId]);
  }

  #sweep(nowSeconds: number): void {
    const hour = Math.floor(nowSeconds / hourSeconds);
    for (const [due, ids] of this.#dropAt) {
      if (due > hour) continue;
      for (const id of ids) this.#drop(id);
      this.#dropAt.delete(due);
    }
    this.#issued.sweep(nowSeconds);
    this.#denied.sweep(nowSeconds);
  }

  #drop(id: CredentialId): void {
    const credential = this.#byId.get(id);
    if (!credential) return;
    this.#byId.delete(id);
    const pair = pairOf(credential.userId, credential.clusterId);
    const ids = this.#byPair.get(pair);
    ids?.delete(id);
    if (ids?.size === 0) this.#byPair.delete(pair);
  }
}

const pairOf = (userId: UserId, clusterId: ClusterId): string => `${userId}.${clusterId}`;

const isLive = (credential: KnownCredential, nowSeconds: number): boolean =>
  credential.status === 'issued' && credential.expiresAtSeconds > nowSeconds;

const endedLongAgo = ({ expiresAtSeconds }: { readonly expiresAtSeconds: number }, nowSeconds: number): boolean =>
  expiresAtSeconds + hourSeconds < nowSeconds;

/**
 * When something happened to whom, within the last hour. Whoever adds has checked the limit, which bounds the lists.
 */
class HourlyCounts {
  readonly #times: Map<string, readonly number[]>;
  #sweptHour = 0;

  constructor(parts: HourlyParts) {
    this.#times = new Map(parts);
  }

  parts(): HourlyParts {
    return [...this.#times];
  }

  add(who: string, atSeconds: number, nowSeconds: number): void {
    if (atSeconds + hourSeconds <= nowSeconds) return;
    this.#times.set(who, [...this.within(who, nowSeconds), atSeconds]);
  }

  within(who: string, nowSeconds: number): readonly number[] {
    return (this.#times.get(who) ?? []).filter((at) => at + hourSeconds > nowSeconds);
  }

  sweep(nowSeconds: number): void {
    const hour = Math.floor(nowSeconds / hourSeconds);
    if (hour === this.#sweptHour) return;
    this.#sweptHour = hour;
    for (const who of this.#times.keys()) if (this.within(who, nowSeconds).length === 0) this.#times.delete(who);
  }
}

/**
 * The people of the policy fold, found by id and by the name that Kubernetes is told of them. Several may have one name: who
 * of them may use it is decided elsewhere (D14).
 */
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { UserFact } from '@clustral/schemas/events/user.ts';
import type { UserId } from '@clustral/schemas/ids.ts';
import { foldName } from './domain/kubernetes-name.ts';
import { evolveUser, initialUser, type KnownUser } from './domain/user.ts';

export class UserIndex {
  readonly #byId = new Map<UserId, KnownUser>();
  readonly #byName = new Map<string, Set<UserId>>();

  constructor(all: Iterable<KnownUser> = []) {
    for (const user of all) {
      this.#byId.set(user.userId, user);
      this.#name(user.userId, undefined, nameOf(user));
    }
  }

  parts(): readonly KnownUser[] {
    return [...this.#byId.values()];
  }

  /** Folds a fact. */
  take(fact: Recorded<UserFact>): void {
    const { userId } = fact.data;
    const before = this.#byId.get(userId);
    const after = evolveUser(before ?? initialUser, fact);
    if (after.status === 'absent') return;
    this.#byId.set(userId, after);
    this.#name(userId, before && nameOf(before), nameOf(after));
  }

  get(userId: UserId): KnownUser | undefined {
    return this.#byId.get(userId);
  }

  /** Everybody of that name, in no order. */
  named(foldedName: string): readonly KnownUser[] {
    return [...(this.#byName.get(foldedName) ?? [])].flatMap((id) => this.#byId.get(id) ?? []);
  }

  #name(userId: UserId, before: string | undefined, after: string | undefined): void {
    if (before === after) return;
    if (before !== undefined) this.#forgetName(before, userId);
    if (after !== undefined) this.#byName.set(after, (this.#byName.get(after) ?? new Set()).add(userId));
  }

  #forgetName(name: string, userId: UserId): void {
    const ids = this.#byName.get(name);
    ids?.delete(userId);
    if (ids?.size === 0) this.#byName.delete(name);
  }
}

const nameOf = ({ kubernetesName }: KnownUser): string | undefined =>
  kubernetesName === null ? undefined : foldName(kubernetesName);

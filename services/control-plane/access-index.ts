/**
 * Everybody's access in the policy fold, found by person and cluster. What has ended is answered from its stream, so memory
 * follows what people have and not what they ever had: an access in which nothing is left is forgotten. Its records hold the
 * same few ids over and over, and each id is held once.
 */
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { Actor, Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId, UserId } from '@clustral/schemas/ids.ts';
import { evolveAccess, initialAccess, type KnownAccess } from './domain/access.ts';

type Changed = { readonly before: KnownAccess | undefined; readonly after: KnownAccess };

export class AccessIndex {
  readonly #byPerson = new Map<UserId, Map<ClusterId, KnownAccess>>();
  /** As many as there are people, clusters and roles. */
  readonly #ids = new Map<string, string>();
  readonly #actors = new Map<string, Actor>();

  constructor(all: Iterable<KnownAccess> = []) {
    for (const access of all) this.#keep(access);
  }

  parts(): readonly KnownAccess[] {
    const all: KnownAccess[] = [];
    // Not by the iterator below: a snapshot holds up everybody for as long as this takes.
    for (const clusters of this.#byPerson.values()) for (const access of clusters.values()) all.push(access);
    return all;
  }

  /** Folds a fact. Answers with what was there before it and what is now; undefined for a fact that makes nothing. */
  take(fact: Recorded<AccessFact>): Changed | undefined {
    const { userId, clusterId } = fact.data;
    const before = this.get(userId, clusterId);
    const after = evolveAccess(before ?? initialAccess, fact);
    if (after.status === 'absent') return undefined;
    if (!isEmpty(after)) return { before, after: this.#keep(after) };
    this.#forget(after);
    return { before, after };
  }

  get(userId: UserId, clusterId: ClusterId): KnownAccess | undefined {
    return this.#byPerson.get(userId)?.get(clusterId);
  }

  of(userId: UserId): readonly KnownAccess[] {
    return [...(this.#byPerson.get(userId)?.values() ?? [])];
  }

  *all(): Iterable<KnownAccess> {
    for (const clusters of this.#byPerson.values()) yield* clusters.values();
  }

  #keep(access: KnownAccess): KnownAccess {
    const { assignment } = access;
    const [userId, clusterId] = [this.#same(access.userId), this.#same(access.clusterId)];
    const kept: KnownAccess = {
      ...access,
      userId,
      clusterId,
      assignment: assignment && {
        ...assignment,
        roleId: this.#same(assignment.roleId),
        assignedBy: this.#sameActor(assignment.assignedBy),
      },
      endedRequest: null,
    };
    const ofUser = this.#byPerson.get(userId);
    if (ofUser) ofUser.set(clusterId, kept);
    else this.#byPerson.set(userId, new Map([[clusterId, kept]]));
    return kept;
  }

  #forget({ userId, clusterId }: KnownAccess): void {
    const ofUser = this.#byPerson.get(userId);
    ofUser?.delete(clusterId);
    if (ofUser?.size === 0) this.#byPerson.delete(userId);
  }

  #same<Id extends string>(id: Id): Id {
    const known = this.#ids.get(id);
    if (known !== undefined) return known as Id;
    this.#ids.set(id, id);
    return id;
  }

  #sameActor(actor: Actor): Actor {
    const name = `${actor.kind} ${actor.id}`;
    const known = this.#actors.get(name) ?? actor;
    this.#actors.set(name, known);
    return known;
  }
}

/** An assignment that has ended is something: a repeated call finds its stream by it. */
const isEmpty = ({ assignment, endedAssignmentId, pending, grant }: KnownAccess): boolean =>
  assignment === null && endedAssignmentId === null && pending === null && grant === null;

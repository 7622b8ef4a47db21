/**
 * The names that audit records are shown with: what a person, a cluster or a role was called when the fact was written, or at
 * the revision that a decision used (D27). A small table of the audit's own, so that renaming or deleting something never
 * rewrites the past. Beside it, what each access request was for.
 */
import { displayName } from '@clustral/schemas/events/person.ts';
import { put, type Lookup, type Op, type RecordedFact } from '../model.ts';
import { collectionOf } from '../read-store.ts';
import { searchKey } from './words.ts';

type NamedKind = 'user' | 'cluster' | 'role';

export type NamesDocument = {
  /** `user:<id>`, `cluster:<id>` or `role:<id>`. */
  readonly _id: string;
  /** What a person can be searched by: id, and every e-mail and user name they ever had, folded. */
  readonly keys: readonly string[];
  /** Oldest first; only where the name changed. */
  readonly names: readonly { readonly revision: number; readonly name: string }[];
};

export const namesCollection = collectionOf<NamesDocument>({
  name: 'audit_names',
  fields: { keys: 'texts' },
  indexes: [],
});

/** What an access request was for, so that its end can be told without looking back. */
export type AskedDocument = {
  /** Id of the request. */
  readonly _id: string;
  /** The role's name as it was shown to whoever asked. */
  readonly roleName: string;
  readonly isGranted: boolean;
};

export const askedCollection = collectionOf<AskedDocument>({ name: 'audit_asked', fields: {}, indexes: [] });

/** So many former names are remembered of one thing. */
const mostNames = 50;

/** Changes of the table that follow from a fact. */
export async function applyNames(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  switch (fact.type) {
    case 'cluster.registered':
    case 'cluster.updated':
      return named(lookup, fact, { id: `cluster:${fact.data.clusterId}`, name: fact.data.name, keys: [] });
    case 'role.created':
    case 'role.updated':
      return named(lookup, fact, { id: `role:${fact.data.roleId}`, name: fact.data.name, keys: [] });
    case 'user.synced': {
      const { userId, claims } = fact.data;
      const keys = [userId, claims.email, claims.preferredUsername].flatMap((key) => (key ? [searchKey(key)] : []));
      return named(lookup, fact, { id: `user:${userId}`, name: displayName(claims), keys });
    }
    case 'access_request.created':
    case 'access_request.approved': {
      const { accessRequestId, roleId, roleRevision } = fact.data;
      const isGranted = fact.type === 'access_request.approved';
      const role = await lookup.get(namesCollection, `role:${roleId}`);
      return [
        put(askedCollection, { _id: accessRequestId, roleName: nameAt(role, roleRevision) ?? roleId, isGranted }),
      ];
    }
    default:
      return [];
  }
}

async function named(
  lookup: Lookup,
  { revision }: RecordedFact,
  { id, name, keys }: { id: string; name: string; keys: readonly string[] },
): Promise<readonly Op[]> {
  const known = await lookup.get(namesCollection, id);
  const last = known?.names.at(-1);
  if (last && last.revision >= revision) return [];
  const allKeys = [...new Set([...(known?.keys ?? []), ...keys])].slice(-mostNames);
  if (known && last?.name === name && allKeys.length === known.keys.length) return [];
  const names = last?.name === name ? known?.names : [...(known?.names ?? []), { revision, name }];
  return [put(namesCollection, { _id: id, keys: allKeys, names: (names ?? []).slice(-mostNames) })];
}

/** Names by id, as far as they are known; an id that is not falls back to the id itself. */
export type Names = {
  user(id: string, revision?: number): string;
  cluster(id: string | null): string;
  role(id: string, revision?: number): string;
  /** The request that the fact is about, as the facts before it left it. */
  readonly asked: Pick<AskedDocument, 'roleName' | 'isGranted'> | undefined;
  /** Whoever caused the fact, as a person would call them. */
  readonly actor: string;
};

/** Everything that the fact and its metadata name, looked up at once. */
export async function namesFor(fact: RecordedFact, lookup: Lookup): Promise<Names> {
  const data = fact.data as Readonly<Record<string, unknown>>;
  const { actor } = fact.metadata;
  const found = new Map<string, NamesDocument>();
  const wanted = new Set([
    ...(actor.kind === 'user' ? [`user:${actor.id}`] : []),
    ...keysOf('user', [data['userId'], data['reviewerId']]),
    ...keysOf('cluster', [data['clusterId'], actor.kind === 'agent' ? actor.id : undefined]),
    ...keysOf('role', [data['roleId']]),
  ]);
  for (const id of wanted) {
    const document = await lookup.get(namesCollection, id);
    if (document) found.set(id, document);
  }
  const { accessRequestId } = data;
  const asked = typeof accessRequestId === 'string' ? await lookup.get(askedCollection, accessRequestId) : undefined;
  const nameOf = (kind: NamedKind, id: string, revision?: number): string =>
    nameAt(found.get(`${kind}:${id}`), revision) ?? id;
  const cluster = (id: string | null): string => (id === null ? '' : nameOf('cluster', id));
  return {
    cluster,
    user: (id, revision) => nameOf('user', id, revision),
    role: (id, revision) => nameOf('role', id, revision),
    asked,
    actor: actorName(actor, { user: (id) => nameOf('user', id), cluster }),
  };
}

function actorName(
  actor: RecordedFact['metadata']['actor'],
  names: { user(id: string): string; cluster(id: string): string },
): string {
  switch (actor.kind) {
    case 'user':
      return names.user(actor.id);
    case 'agent':
      return `agent of ${names.cluster(actor.id)}`;
    case 'service':
      return actor.id;
    default:
      return actor.kind satisfies never;
  }
}

const keysOf = (kind: NamedKind, ids: readonly unknown[]): readonly string[] =>
  ids.flatMap((id) => (typeof id === 'string' ? [`${kind}:${id}`] : []));

function nameAt(document: NamesDocument | undefined, revision: number | undefined): string | undefined {
  if (revision === undefined) return document?.names.at(-1)?.name;
  return (document?.names.findLast((named) => named.revision <= revision) ?? document?.names.at(0))?.name;
}

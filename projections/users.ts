/** People as the identity provider last described them, and whether they may sign in. */
import { displayName } from '@clustral/schemas/events/person.ts';
import { patch, positionOf, put, type Lookup, type Op, type ReadModel, type RecordedFact } from './model.ts';
import { pageOf, type Page, type PageRequest } from './page.ts';
import { collectionOf, type ReadStoreReader } from './read-store.ts';

/** Instants are milliseconds since the epoch. */
export type UserDocument = {
  readonly _id: string;
  /** E-mail, else user name, else issuer and subject: what lists are sorted by. */
  readonly displayName: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly preferredUsername: string | null;
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly kubernetesName: string | null;
  readonly lastSignInAt: number | null;
  readonly disabled: boolean;
  /** Log position of the last fact applied. */
  readonly position: number;
};

export const userCollection = collectionOf<UserDocument>({
  name: 'users',
  fields: { displayName: 'text', email: 'text', preferredUsername: 'text' },
  indexes: [['displayName', '_id'], ['email'], ['preferredUsername']],
});

export const users: ReadModel = {
  name: 'users',
  version: 1,
  collections: [userCollection],
  apply: ({ fact, isVoid }, lookup) => (isVoid ? [] : applyUser(fact, lookup)),
};

/** Changes of user documents that follow from a fact. */
export async function applyUser(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  switch (fact.type) {
    case 'user.synced': {
      const known = await lookup.get(userCollection, fact.data.userId);
      if (known && known.position >= positionOf(fact)) return [];
      return [put(userCollection, synced(fact, known))];
    }
    case 'user.disabled':
    case 'user.enabled': {
      const known = await lookup.get(userCollection, fact.data.userId);
      if (!known || known.position >= positionOf(fact)) return [];
      const changed = { disabled: fact.type === 'user.disabled', position: positionOf(fact) };
      return [patch(userCollection, fact.data.userId, changed)];
    }
    default:
      return [];
  }
}

function synced(fact: Extract<RecordedFact, { type: 'user.synced' }>, known: UserDocument | undefined): UserDocument {
  const { userId, claims, kubernetesName, signedInAt } = fact.data;
  return {
    _id: userId,
    displayName: displayName(claims),
    issuer: claims.issuer,
    subject: claims.subject,
    email: claims.email,
    emailVerified: claims.emailVerified,
    preferredUsername: claims.preferredUsername,
    name: claims.name,
    roles: claims.roles,
    groups: claims.groups,
    kubernetesName,
    lastSignInAt: signedInAt === null ? (known?.lastSignInAt ?? null) : Date.parse(signedInAt),
    disabled: known?.disabled ?? false,
    position: positionOf(fact),
  };
}

/** People by e-mail, those without one by user name; with `name`, whoever has exactly that e-mail or user name. */
export function listUsers(
  models: ReadStoreReader,
  { name, ...page }: PageRequest & { readonly name?: string },
): Promise<Page<UserDocument>> {
  return pageOf(models, userCollection, {
    filter: name === undefined ? {} : { $or: [{ email: { $eq: name } }, { preferredUsername: { $eq: name } }] },
    sort: { fields: ['displayName', '_id'], direction: 'ascending' },
    ...page,
  });
}

/** One person; undefined when nobody with this id has signed in. */
export function getUser(models: ReadStoreReader, id: string): Promise<UserDocument | undefined> {
  return models.get(userCollection, id);
}

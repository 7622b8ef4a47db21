/**
 * Kubeconfig credentials as they are shown. No token is here, nor anything one could be made from. `cluster.deleted` and
 * `user.disabled` end the credentials issued before them at once and for ever (D32).
 */
import { clusterCollection } from './clusters.ts';
import {
  patch,
  positionOf,
  put,
  recordedAt,
  type Lookup,
  type Op,
  type ReadModel,
  type RecordedFact,
} from './model.ts';
import { pageOf, type Page, type PageRequest } from './page.ts';
import { collectionOf, type Filter, type ReadStoreReader } from './read-store.ts';
import { userCollection } from './users.ts';

/** Instants are milliseconds since the epoch. */
export type CredentialDocument = {
  /** The token's `jti`. */
  readonly _id: string;
  readonly userId: string;
  readonly clusterId: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly revoked: boolean;
  readonly revokedAt: number | null;
  /** As the fact says, or the type of the fact that ended it. */
  readonly revokedReason: string | null;
  /** Log position of the last fact applied. */
  readonly position: number;
};

/** A credential with the names it is shown with; a name is empty when what it named was never known. */
export type Credential = CredentialDocument & { readonly user: string; readonly clusterName: string };

export const credentialCollection = collectionOf<CredentialDocument>({
  name: 'credentials',
  fields: { userId: 'text', clusterId: 'text', issuedAt: 'integer', expiresAt: 'integer', revoked: 'boolean' },
  indexes: [
    ['issuedAt', '_id'],
    ['userId', 'issuedAt', '_id'],
    ['clusterId', 'issuedAt', '_id'],
    ['revoked', 'expiresAt'],
  ],
});

export const credentials: ReadModel = {
  name: 'credentials',
  version: 1,
  collections: [credentialCollection],
  apply: ({ fact, isVoid }, lookup) => (isVoid ? [] : applyCredential(fact, lookup)),
};

/** Changes of credential documents that follow from a fact. */
export async function applyCredential(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  switch (fact.type) {
    case 'credential.issued': {
      const known = await lookup.get(credentialCollection, fact.data.credentialId);
      return known ? [] : [put(credentialCollection, await issued(fact, lookup))];
    }
    case 'credential.revoked': {
      const known = await lookup.get(credentialCollection, fact.data.credentialId);
      return known ? ended([known], fact, fact.data.reason) : [];
    }
    case 'cluster.deleted': {
      const { clusterId } = fact.data;
      return ended(await lookup.where(credentialCollection, { clusterId, revoked: false }), fact, fact.type);
    }
    case 'user.disabled': {
      const { userId } = fact.data;
      return ended(await lookup.where(credentialCollection, { userId, revoked: false }), fact, fact.type);
    }
    default:
      return [];
  }
}

async function issued(
  fact: Extract<RecordedFact, { type: 'credential.issued' }>,
  lookup: Lookup,
): Promise<CredentialDocument> {
  const { credentialId, userId, clusterId, issuedAtSeconds, expiresAtSeconds } = fact.data;
  // The cluster may have gone a moment before: then the credential was dead when it was issued. One issued while its
  // person is disabled only sleeps, as in the policy fold.
  const endReason = (await lookup.get(clusterCollection, clusterId))?.deleted ? 'cluster.deleted' : null;
  return {
    _id: credentialId,
    userId,
    clusterId,
    issuedAt: issuedAtSeconds * 1000,
    expiresAt: expiresAtSeconds * 1000,
    revoked: endReason !== null,
    revokedAt: endReason === null ? null : recordedAt(fact),
    revokedReason: endReason,
    position: positionOf(fact),
  };
}

function ended(found: readonly CredentialDocument[], fact: RecordedFact, revokedReason: string): readonly Op[] {
  const set = { revoked: true, revokedAt: recordedAt(fact), revokedReason, position: positionOf(fact) };
  return found
    .filter(({ revoked, position }) => !revoked && position < positionOf(fact))
    .map(({ _id }) => patch(credentialCollection, _id, set));
}

export type CredentialQuery = PageRequest & {
  readonly userId?: string;
  readonly clusterId?: string;
  /** Only those that are neither revoked nor expired at this instant (milliseconds). */
  readonly activeAt?: number;
};

/** Credentials with names, newest first. */
export async function listCredentials(models: ReadStoreReader, query: CredentialQuery): Promise<Page<Credential>> {
  const { userId, clusterId, activeAt, ...page } = query;
  const filter: Filter = {
    ...(userId === undefined ? {} : { userId: { $eq: userId } }),
    ...(clusterId === undefined ? {} : { clusterId: { $eq: clusterId } }),
    ...(activeAt === undefined ? {} : { revoked: { $eq: false }, expiresAt: { $gt: activeAt } }),
  };
  const found = await pageOf(models, credentialCollection, {
    filter,
    sort: { fields: ['issuedAt', '_id'], direction: 'descending' },
    ...page,
  });
  return { ...found, items: await Promise.all(found.items.map((credential) => withNames(models, credential))) };
}

/** One credential, ended or not; undefined when it was never issued. */
export async function getCredential(models: ReadStoreReader, id: string): Promise<Credential | undefined> {
  const found = await models.get(credentialCollection, id);
  return found && withNames(models, found);
}

async function withNames(models: ReadStoreReader, credential: CredentialDocument): Promise<Credential> {
  return {
    ...credential,
    user: (await models.get(userCollection, credential.userId))?.displayName ?? '',
    clusterName: (await models.get(clusterCollection, credential.clusterId))?.name ?? '',
  };
}

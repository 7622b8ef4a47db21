/** Roles as they are shown. A deleted role stays as a name for what refers to it and is in no list. */
import { plainReview, type ReviewRules } from '@clustral/schemas/events/role.ts';
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
import { collectionOf, type ReadStoreReader } from './read-store.ts';

/** Instants are milliseconds since the epoch. */
export type RoleDocument = {
  readonly _id: string;
  readonly name: string;
  readonly description: string;
  readonly k8sGroups: readonly string[];
  /** How requests for it are decided. */
  readonly review: ReviewRules;
  readonly createdAt: number;
  /** Revision of the role's stream: the one that an approval must have seen (D39). */
  readonly revision: number;
  readonly deleted: boolean;
  /** Log position of the last fact applied. */
  readonly position: number;
};

export const roleCollection = collectionOf<RoleDocument>({
  name: 'roles',
  fields: { name: 'text', deleted: 'boolean' },
  indexes: [['deleted', 'name', '_id']],
});

export const roles: ReadModel = {
  name: 'roles',
  version: 2,
  collections: [roleCollection],
  apply: ({ fact, isVoid }, lookup) => (isVoid ? [] : applyRole(fact, lookup)),
};

/** Changes of role documents that follow from a fact. */
export async function applyRole(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  switch (fact.type) {
    case 'role.created':
    case 'role.updated': {
      const known = await lookup.get(roleCollection, fact.data.roleId);
      if (known && (known.position >= positionOf(fact) || known.deleted)) return [];
      const { roleId, name, description, k8sGroups, review = plainReview } = fact.data;
      const changed = { name, description, k8sGroups, review, revision: fact.revision, position: positionOf(fact) };
      if (known) return [patch(roleCollection, roleId, changed)];
      return [put(roleCollection, { _id: roleId, createdAt: recordedAt(fact), deleted: false, ...changed })];
    }
    case 'role.deleted': {
      const known = await lookup.get(roleCollection, fact.data.roleId);
      if (!known || known.position >= positionOf(fact)) return [];
      const changed = { deleted: true, revision: fact.revision, position: positionOf(fact) };
      return [patch(roleCollection, fact.data.roleId, changed)];
    }
    default:
      return [];
  }
}

/** Roles by name; with `name`, exactly that one. */
export function listRoles(
  models: ReadStoreReader,
  { name, ...page }: PageRequest & { readonly name?: string },
): Promise<Page<RoleDocument>> {
  return pageOf(models, roleCollection, {
    filter: { deleted: { $eq: false }, ...(name === undefined ? {} : { name: { $eq: name } }) },
    sort: { fields: ['name', '_id'], direction: 'ascending' },
    ...page,
  });
}

/** One role; undefined when it is not there or was deleted. */
export async function getRole(models: ReadStoreReader, id: string): Promise<RoleDocument | undefined> {
  const role = await models.get(roleCollection, id);
  return role?.deleted ? undefined : role;
}

/**
 * Who may do what where: standing assignments, and requests with the grants that came of them. Facts that end much
 * (`role.deleted`, `cluster.deleted`, `user.disabled`) take effect here at once, as in the policy fold (D32): what they end
 * stays ended, whatever explicit fact follows. Disabling a person leaves their assignments asleep, not ended.
 *
 * Nothing is decided by these documents (D16); they are what is shown.
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
import { collectionOf, type ReadStoreReader } from './read-store.ts';
import { accessRequestCollection, applyAccessRequest } from './access-requests.ts';
import { roleCollection } from './roles.ts';
import { userCollection } from './users.ts';

/** A standing assignment. Instants are milliseconds since the epoch. */
export type AssignmentDocument = {
  readonly _id: string;
  readonly userId: string;
  readonly clusterId: string;
  readonly roleId: string;
  readonly assignedAt: number;
  /** Id of the person or part of the product that assigned it. */
  readonly assignedById: string;
  readonly ended: boolean;
  readonly endedAt: number | null;
  /** Log position of the last fact applied. */
  readonly position: number;
};

/** An assignment with the names it is shown with; a name is empty when what it named was never known. */
export type Assignment = AssignmentDocument & {
  readonly clusterName: string;
  readonly roleName: string;
  readonly assignedBy: string;
};

export const assignmentCollection = collectionOf<AssignmentDocument>({
  name: 'assignments',
  fields: { userId: 'text', clusterId: 'text', roleId: 'text', ended: 'boolean' },
  indexes: [
    ['userId', 'ended', '_id'],
    ['clusterId', 'ended'],
    ['roleId', 'ended'],
  ],
});

export const access: ReadModel = {
  name: 'access',
  version: 3,
  collections: [assignmentCollection, accessRequestCollection],
  apply: async ({ fact, isVoid }, lookup) =>
    isVoid ? [] : [...(await applyAssignment(fact, lookup)), ...(await applyAccessRequest(fact, lookup))],
};

/** Changes of assignments that follow from a fact. */
export async function applyAssignment(fact: RecordedFact, lookup: Lookup): Promise<readonly Op[]> {
  switch (fact.type) {
    case 'user.role_assigned':
      return assigned(fact, lookup);
    case 'user.role_unassigned': {
      const known = await lookup.get(assignmentCollection, fact.data.assignmentId);
      return known ? ended([known], fact) : [];
    }
    case 'role.deleted':
      return ended(await lookup.where(assignmentCollection, { roleId: fact.data.roleId, ended: false }), fact);
    case 'cluster.deleted':
      return ended(await lookup.where(assignmentCollection, { clusterId: fact.data.clusterId, ended: false }), fact);
    default:
      return [];
  }
}

type AssignedFact = Extract<RecordedFact, { type: 'user.role_assigned' }>;

async function assigned(fact: AssignedFact, lookup: Lookup): Promise<readonly Op[]> {
  const { assignmentId, userId, clusterId, roleId } = fact.data;
  const known = await lookup.get(assignmentCollection, assignmentId);
  if (known && known.position >= positionOf(fact)) return [];
  const replaced = await lookup.where(assignmentCollection, { userId, clusterId, ended: false });
  // A role or cluster that was deleted a moment before ends what is given of it from the start.
  const gone =
    (await lookup.get(roleCollection, roleId))?.deleted === true ||
    (await lookup.get(clusterCollection, clusterId))?.deleted === true;
  const document: AssignmentDocument = {
    _id: assignmentId,
    userId,
    clusterId,
    roleId,
    assignedAt: recordedAt(fact),
    assignedById: fact.metadata.actor.id,
    ended: gone,
    endedAt: gone ? recordedAt(fact) : null,
    position: positionOf(fact),
  };
  return [...ended(replaced, fact), put(assignmentCollection, document)];
}

function ended(assignments: readonly AssignmentDocument[], fact: RecordedFact): readonly Op[] {
  return assignments
    .filter((assignment) => !assignment.ended && assignment.position < positionOf(fact))
    .map(({ _id }) =>
      patch(assignmentCollection, _id, { ended: true, endedAt: recordedAt(fact), position: positionOf(fact) }),
    );
}

/** The standing assignments of one person: at most one per cluster. */
export async function listAssignments(models: ReadStoreReader, userId: string): Promise<readonly Assignment[]> {
  const found = await models.find(assignmentCollection, {
    filter: { userId: { $eq: userId }, ended: { $eq: false } },
    sort: { fields: ['_id'], direction: 'ascending' },
    limit: 10_000,
  });
  return withNames(models, found);
}

/** One assignment; undefined when it is not there or has ended. */
export async function getAssignment(models: ReadStoreReader, id: string): Promise<Assignment | undefined> {
  const found = await models.get(assignmentCollection, id);
  if (found === undefined || found.ended) return undefined;
  return (await withNames(models, [found]))[0];
}

async function withNames(
  models: ReadStoreReader,
  assignments: readonly AssignmentDocument[],
): Promise<readonly Assignment[]> {
  const named = await Promise.all(
    assignments.map(async (assignment) => ({
      ...assignment,
      clusterName: (await models.get(clusterCollection, assignment.clusterId))?.name ?? '',
      roleName: (await models.get(roleCollection, assignment.roleId))?.name ?? '',
      assignedBy: (await models.get(userCollection, assignment.assignedById))?.displayName ?? assignment.assignedById,
    })),
  );
  return named.toSorted((one, other) => (one.clusterName < other.clusterName ? -1 : 1));
}

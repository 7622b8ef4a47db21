/**
 * What the policy fold is made of, as lists: what a snapshot keeps and what a fold can be built again from (D25). Only
 * what facts said is here; what follows from it (who has credentials where, when they are forgotten) is worked out anew.
 */
import type { ClusterId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { noCredentials, type CredentialParts } from './credential-index.ts';
import type { KnownAccess } from './domain/access.ts';
import type { ClusterState } from './domain/cluster.ts';
import type { RoleState } from './domain/role.ts';
import type { UserState } from './domain/user.ts';
import { noRequests, type RequestParts } from './request-index.ts';

/** A fact that ended much (D32): what caused the explicit facts that follow from it. */
export type Ending = { readonly factId: string; readonly correlationId: string };

/** From this position on the log is written under this epoch (D18). */
export type TakeOver = { readonly position: bigint; readonly epoch: number };

/**
 * All that a fold knows, in the order of its maps. The lists are copies; what is in them is shared with the fold and
 * never changes.
 */
export type FoldParts = {
  readonly clusters: readonly (readonly [ClusterId, ClusterState])[];
  readonly clusterNames: readonly (readonly [string, ClusterId])[];
  readonly roles: readonly (readonly [RoleId, RoleState])[];
  readonly roleNames: readonly (readonly [string, RoleId])[];
  readonly users: readonly (readonly [UserId, UserState])[];
  readonly userNames: readonly (readonly [string, readonly UserId[]])[];
  readonly access: readonly KnownAccess[];
  readonly endings: readonly (readonly [string, Ending])[];
  readonly unreadable: readonly string[];
  readonly takeOvers: readonly TakeOver[];
} & RequestParts &
  CredentialParts;

/** The parts of a fold that has taken nothing. */
export const noParts: FoldParts = {
  clusters: [],
  clusterNames: [],
  roles: [],
  roleNames: [],
  users: [],
  userNames: [],
  access: [],
  endings: [],
  unreadable: [],
  takeOvers: [],
  ...noRequests,
  ...noCredentials,
};

/** Everybody's access, found by person and cluster. */
export function byPerson(all: readonly KnownAccess[]): Map<UserId, Map<ClusterId, KnownAccess>> {
  const people = new Map<UserId, Map<ClusterId, KnownAccess>>();
  for (const access of all) {
    const ofUser = people.get(access.userId);
    if (ofUser) ofUser.set(access.clusterId, access);
    else people.set(access.userId, new Map([[access.clusterId, access]]));
  }
  return people;
}

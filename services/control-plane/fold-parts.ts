/**
 * What the policy fold is made of, as lists: what a snapshot keeps and what a fold can be built again from (D25). Only
 * what facts said is here; what follows from it (who has credentials where, when they are forgotten) is worked out anew.
 */
import type { ClusterId, RoleId } from '@clustral/schemas/ids.ts';
import { noCredentials, type CredentialParts } from './credential-index.ts';
import type { KnownAccess } from './domain/access.ts';
import type { ClusterState } from './domain/cluster.ts';
import type { RoleState } from './domain/role.ts';
import type { KnownUser } from './domain/user.ts';
import { noRequests, type RequestParts } from './request-index.ts';

/** A fact that ended much (D32): what caused the explicit facts that follow from it. */
export type Ending = { readonly factId: string; readonly correlationId: string };

/** From this position on the log is written under this epoch (D18). */
export type TakeOver = { readonly position: bigint; readonly epoch: number };

/**
 * All that a fold knows, in the order of its maps. The lists of a fold are copies, and what is in them is shared with the fold
 * and never changes; those of a snapshot are read while somebody goes through them.
 *
 * What the fold comes to know besides goes in here, in `noParts` and in both directions of `PolicyFold`; a new field of a
 * state that is here already comes along by itself.
 */
export type FoldParts = {
  readonly clusters: Iterable<readonly [ClusterId, ClusterState]>;
  readonly clusterNames: Iterable<readonly [string, ClusterId]>;
  readonly roles: Iterable<readonly [RoleId, RoleState]>;
  readonly roleNames: Iterable<readonly [string, RoleId]>;
  readonly users: Iterable<KnownUser>;
  readonly access: Iterable<KnownAccess>;
  readonly endings: Iterable<readonly [string, Ending]>;
  readonly unreadable: Iterable<string>;
  readonly takeOvers: Iterable<TakeOver>;
} & RequestParts &
  CredentialParts;

/** The parts of a fold that has taken nothing. */
export const noParts: FoldParts = {
  clusters: [],
  clusterNames: [],
  roles: [],
  roleNames: [],
  users: [],
  access: [],
  endings: [],
  unreadable: [],
  takeOvers: [],
  ...noRequests,
  ...noCredentials,
};

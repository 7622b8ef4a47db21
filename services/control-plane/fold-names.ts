/**
 * By which names the policy fold finds what it holds. It is not where names are kept from being taken twice: that is
 * decided before a fact is written, and here the last one named has the name.
 */
import type { ClusterState } from './domain/cluster.ts';
import { foldName } from './domain/kubernetes-name.ts';
import type { RoleState } from './domain/role.ts';
import type { UserState } from './domain/user.ts';

/** The name by which it is found; undefined for what is not there any more. */
export const liveName = (state: ClusterState | RoleState | undefined): string | undefined =>
  state === undefined || state.status === 'absent' || state.status === 'deleted' ? undefined : state.name;

/** The name under which a person is found, folded. */
export const foldedName = (state: UserState): string | undefined =>
  state.status === 'absent' || state.kubernetesName === null ? undefined : foldName(state.kubernetesName);

/** Moves an id from one name to the other. A name that somebody else took meanwhile stays theirs. */
export function rename<Id>(
  names: Map<string, Id>,
  id: Id,
  { before, after }: { before?: string | undefined; after?: string | undefined },
): void {
  if (before === after) return;
  if (before !== undefined && names.get(before) === id) names.delete(before);
  if (after !== undefined) names.set(after, id);
}

/**
 * By which names the policy fold finds clusters and roles. It is not where names are kept from being taken twice: that is
 * decided before a fact is written, and here the last one named has the name.
 */
import type { ClusterState } from './domain/cluster.ts';
import type { RoleState } from './domain/role.ts';

/** The name by which it is found; undefined for what is not there any more. */
export const liveName = (state: ClusterState | RoleState | undefined): string | undefined =>
  state === undefined || state.status === 'absent' || state.status === 'deleted' ? undefined : state.name;

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

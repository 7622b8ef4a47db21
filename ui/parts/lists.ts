/** The lists that many pages need whole: clusters and roles. There are few of both; 200 is the most that one answer holds. */
import { ClusterService, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { RoleService, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { answerOf, useRpc, type Query } from '../data/rpc.ts';
import type { Choice } from '../kit/Field.tsx';
import { visible } from '../text/untrusted.ts';

const most = 200;

export function useClusters(): {
  readonly query: Query<{ readonly clusters: Cluster[] }>;
  readonly all: () => readonly Cluster[];
} {
  const query = useRpc(ClusterService.method.listClusters, () => ({ pageSize: most }));
  return { query, all: () => answerOf(query)?.clusters ?? [] };
}

export function useRoles(): { readonly query: Query<{ readonly roles: Role[] }>; readonly all: () => readonly Role[] } {
  const query = useRpc(RoleService.method.listRoles, () => ({ pageSize: most }));
  return { query, all: () => answerOf(query)?.roles ?? [] };
}

/** Things with an id and a name, for a list to choose from. */
export function choicesOf(items: readonly { readonly id: string; readonly name: string }[]): readonly Choice[] {
  return items.map(({ id, name }) => ({ value: id, text: visible(name) }));
}

/** The caller as the API knows them: the id that requests and grants carry, and what they can reach. */
import type { Access, Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { answerOf, useRpc, type Query } from '../data/rpc.ts';

export type MeQuery = {
  readonly query: Query<Me>;
  readonly id: () => string | undefined;
  readonly access: () => readonly Access[];
};

export function useMe(): MeQuery {
  const query = useRpc(
    UserService.method.getMe,
    () => ({}),
    () => ({ key: 'clusterId' }),
  );
  return {
    query,
    id: () => answerOf(query)?.user?.id,
    access: () => answerOf(query)?.access ?? [],
  };
}

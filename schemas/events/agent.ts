/** Facts of refused agents: stream `agent_auth-{clusterId}`, rate-limited and counted; `unknown` for a cluster that is not there. */
import type { ClusterId } from '../ids.ts';

export type AgentFact = {
  readonly type: 'agent.auth_failed';
  readonly data: {
    readonly clusterId: ClusterId | null;
    readonly reason: string;
    readonly method: string;
    readonly count: number;
  };
};

export const agentAuthStream = (clusterId: ClusterId | null): string => `agent_auth-${clusterId ?? 'unknown'}`;

/** How far an enrolment has come, from what the API says of the cluster and the audit log has of it since the token was issued. */
import { ClusterStatus, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';

export type CheckState = 'done' | 'waiting' | 'failed' | 'later';
export type Check = { readonly name: string; readonly state: CheckState; readonly detail: string };

export type EnrolmentSigns = {
  readonly cluster: Pick<Cluster, 'status' | 'kubernetesVersion' | 'agentVersion'> | undefined;
  /** Audit events of this cluster since the token was issued, newest first: an earlier agent counts for nothing. */
  readonly events: readonly {
    readonly code: string;
    readonly message: string;
    readonly success: boolean;
    readonly error: string;
  }[];
};

/** The checks in order: each waits for the one before. A refusal of the agent is told where it stopped. */
export function enrolmentChecks({ cluster, events }: EnrolmentSigns): readonly Check[] {
  const refused = events.find(({ code }) => code === 'CAG001W');
  const wasAnswered = events.some(({ code, success }) => code === 'CPR001I' && success);
  const isEnrolled = events.some(({ code }) => code === 'CCL007I');
  const isConnected = cluster?.status === ClusterStatus.CONNECTED;
  const steps: readonly {
    readonly name: string;
    readonly isDone: boolean;
    readonly done: string;
    readonly waits: string;
  }[] = [
    {
      name: 'Token redeemed, certificate issued',
      isDone: isEnrolled,
      done: 'The agent has an identity of its own; the token is used up.',
      waits: 'Waiting for an agent to redeem the token.',
    },
    {
      name: 'Tunnel open',
      isDone: isConnected,
      done: `Agent ${cluster?.agentVersion ?? ''} dialled in over mutual TLS.`.replace('  ', ' '),
      waits: 'Waiting for the agent to dial in.',
    },
    {
      name: 'Kubernetes answers the agent',
      isDone: isConnected && (cluster?.kubernetesVersion ?? '') !== '',
      done: `Kubernetes ${cluster?.kubernetesVersion ?? ''}`,
      waits: "Waiting for the API server: the agent's log says why when it takes long.",
    },
    {
      name: 'First request went through',
      isDone: wasAnswered,
      done: 'Somebody used the cluster.',
      waits: "Optional: 'clustral kube login' and 'kubectl get pods' by anybody with a role.",
    },
  ];
  const current = steps.findIndex(({ isDone }) => !isDone);
  return steps.map(({ name, isDone, done, waits }, index) => {
    if (isDone && (current < 0 || index < current)) return { name, state: 'done', detail: done };
    if (index !== current) return { name, state: 'later', detail: '' };
    return refused && index < 2
      ? { name, state: 'failed', detail: refused.message || refused.error }
      : { name, state: 'waiting', detail: waits };
  });
}

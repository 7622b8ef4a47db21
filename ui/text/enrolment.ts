/** The commands that start an agent, with the real id and host. The token comes in by standard input or a file, never as a word. */
import type { CommandPart } from './shell.ts';

export type AgentPlace = 'kubernetes' | 'process';
export type EnrolmentStep = { readonly does: string; readonly lines: readonly (readonly CommandPart[])[] };
export type EnrolmentFacts = { readonly clusterId: string; readonly host: string };

export function enrolmentSteps(place: AgentPlace, facts: EnrolmentFacts): readonly EnrolmentStep[] {
  const url = `https://${facts.host}:5443`;
  return place === 'kubernetes' ? inKubernetes(facts, url) : asProcess(facts, url);
}

function inKubernetes({ clusterId }: EnrolmentFacts, url: string): readonly EnrolmentStep[] {
  return [
    { does: 'A namespace for the agent', lines: [['kubectl create namespace clustral']] },
    {
      does: 'What it needs to know: paste the token, then Ctrl-D',
      lines: [
        [
          'kubectl -n clustral create secret generic clustral-agent-config',
          '--from-literal=cluster-id=' + clusterId,
          '--from-literal=control-plane-url=' + url,
          '--from-file=bootstrap-token=/dev/stdin',
        ],
      ],
    },
    {
      does: 'The agent itself, by its chart or manifests, which read that Secret; then its log',
      lines: [['kubectl -n clustral logs -f deploy/clustral-agent']],
    },
  ];
}

function asProcess({ clusterId }: EnrolmentFacts, url: string): readonly EnrolmentStep[] {
  return [
    {
      does: 'The token into a file that only you can read: paste it, then Ctrl-D',
      lines: [['(umask 077; cat > bootstrap-token)']],
    },
    {
      does: 'The agent, beside the cluster',
      lines: [
        [`export AGENT_CLUSTER_ID=${clusterId}`],
        [`export AGENT_CONTROL_PLANE_URL=${url}`],
        ['export AGENT_BOOTSTRAP_TOKEN_FILE=bootstrap-token'],
        ['export AGENT_CREDENTIAL_PATH=agent-identity'],
        ['export AGENT_KUBERNETES_API_URL=https://<api-server>:6443'],
        ['export AGENT_KUBERNETES_CA_PATH=ca.crt AGENT_KUBERNETES_TOKEN_PATH=token'],
        ['node agent/main.ts'],
      ],
    },
  ];
}

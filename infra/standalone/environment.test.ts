import { describe, expect, it } from 'vitest';
import { environments } from './environment.ts';
import { assignments } from './processes.ts';

const ports = { gateway: 1, tunnel: 5443, controlPlane: 3, audit: 4, web: 5, identityProvider: 6, demoCluster: 7 };
const installation = { dataFolder: '/data', ports, demoClusterId: 'demo-id' };

describe('the processes of npm start', () => {
  it('are five, and one more for a cluster that a person brought', () => {
    const names = (parts: Parameters<typeof assignments>[0]): readonly string[] =>
      assignments(parts).map(({ name }) => name);
    const five = ['embedded', 'control-plane', 'projections', 'gateway', 'agent'];
    expect(names(environments(installation))).toEqual(five);
    const local = { clusterId: 'local-id', kubeconfig: '/home/dev/.kube/config' };
    expect(names(environments({ ...installation, local }))).toEqual([...five, 'local-agent']);
  });

  it('let agents of other machines in only when they are told by what name', () => {
    expect(environments(installation)['control-plane']).toMatchObject({
      TUNNEL_HOST: '127.0.0.1',
      TUNNEL_SERVER_NAMES: 'localhost,127.0.0.1',
    });
    expect(environments({ ...installation, tunnelHost: 'clustral.test' })['control-plane']).toMatchObject({
      TUNNEL_HOST: '0.0.0.0',
      TUNNEL_SERVER_NAMES: 'localhost,127.0.0.1,clustral.test',
      LISTEN_HOST: '127.0.0.1',
    });
  });

  it('tell the two agents apart, and none of them a secret', () => {
    const local = { clusterId: 'local-id', kubeconfig: '/home/dev/.kube/config' };
    const { agent, 'local-agent': localAgent } = environments({ ...installation, local });
    expect(localAgent).toMatchObject({
      CLUSTRAL_ENV: 'embedded',
      AGENT_CLUSTER_ID: 'local-id',
      AGENT_CONTROL_PLANE_URL: 'https://localhost:5443',
      AGENT_KUBECONFIG: '/home/dev/.kube/config',
    });
    for (const name of ['AGENT_CREDENTIAL_PATH', 'AGENT_BOOTSTRAP_TOKEN_FILE', 'AGENT_CLUSTER_ID']) {
      expect(localAgent?.[name]).not.toBe(agent[name]);
    }
    expect(agent['AGENT_KUBECONFIG']).toBeUndefined();
  });
});

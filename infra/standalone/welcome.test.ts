import { describe, expect, it } from 'vitest';
import { welcome } from './welcome.ts';

const said = { port: 8443, caFingerprint: 'AA:BB', seconds: '2.1', logFolder: '/data/logs', local: undefined };

describe('what npm start prints', () => {
  it('says nothing of a cluster that nobody brought', () => {
    expect(welcome(said)).not.toMatch(/kube login local|clusterrolebinding/);
  });

  it('says how to use the cluster of a kubeconfig, and what to type for the viewers there', () => {
    const kubeconfig = "/home/o'dev/my cluster.yaml";
    const text = welcome({ ...said, local: { kubeconfig, context: 'kind-x', server: 'https://127.0.0.1:6443' } });
    expect(text).toContain('npx clustral kube login local');
    expect(text).toContain('"kind-x"');
    expect(text).toContain(
      String.raw`kubectl --kubeconfig '/home/o'\''dev/my cluster.yaml' create clusterrolebinding clustral-viewers --clusterrole=view --group=clustral:viewers`,
    );
  });
});

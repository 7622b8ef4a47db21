import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '@clustral/kernel/config.ts';
import { readAgentConfig } from './config.ts';

const id = '0b9f1f8e-5d0a-4f0e-9d3b-1c2d3e4f5a6b';
const least = { AGENT_CLUSTER_ID: id.toUpperCase(), AGENT_CONTROL_PLANE_URL: 'https://tunnel.example:5443' };

describe('the agent’s configuration', () => {
  it('has the defaults of a pod', () => {
    const config = readAgentConfig({ ...least, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' });
    expect(config).toMatchObject({
      clusterId: id,
      credentialPath: '/var/lib/clustral',
      kubernetes: {
        ca: { path: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt' },
        token: { path: '/var/run/secrets/kubernetes.io/serviceaccount/token' },
        clientCertificate: undefined,
        skipTlsVerify: false,
      },
      heartbeatIntervalMs: 30_000,
      certificateRenewThresholdMs: 720 * 3_600_000,
      tokenRenewThresholdMs: 168 * 3_600_000,
      renewalCheckIntervalMs: 6 * 3_600_000,
    });
    expect(config.controlPlane.origin).toBe('https://tunnel.example:5443');
    expect(config.kubernetes.url.origin).toBe('https://[fd00::1]:6443');
    expect(config.bootstrapToken()).toBeUndefined();
    expect(readAgentConfig(least).kubernetes.url.origin).toBe('https://kubernetes.default.svc');
  });

  it.each([
    ['AGENT_CLUSTER_ID', { AGENT_CLUSTER_ID: 'prod' }],
    ['AGENT_CLUSTER_ID', { AGENT_CLUSTER_ID: undefined }],
    ['AGENT_CONTROL_PLANE_URL', { AGENT_CONTROL_PLANE_URL: 'http://tunnel.example:5443' }],
    ['AGENT_CONTROL_PLANE_URL', { AGENT_CONTROL_PLANE_URL: 'https://tunnel.example/path' }],
    ['AGENT_CONTROL_PLANE_URL', { AGENT_CONTROL_PLANE_URL: 'https://a:b@tunnel.example' }],
    ['AGENT_KUBERNETES_API_URL', { AGENT_KUBERNETES_API_URL: 'kubernetes' }],
    ['AGENT_KUBECONFIG', { AGENT_KUBECONFIG: '/nowhere/kubeconfig', CLUSTRAL_ENV: 'embedded' }],
    ['AGENT_KUBECONFIG: this value is for trying out only', { AGENT_KUBECONFIG: '/x', CLUSTRAL_ENV: 'production' }],
    ['AGENT_CA_FILE', { AGENT_CA_FILE: '/nowhere/ca.pem' }],
    ['AGENT_CREDENTIAL_SECRET', { AGENT_CREDENTIAL_SECRET: 'clustral-agent-credentials' }],
    ['AGENT_CREDENTIAL_SECRET', { AGENT_CREDENTIAL_SECRET: 'clustral/../other' }],
    ['AGENT_CREDENTIAL_SECRET', { AGENT_CREDENTIAL_SECRET: 'clustral/a/b' }],
    ['AGENT_HEALTH_PORT', { AGENT_HEALTH_PORT: '70000' }],
    ['AGENT_RENEWAL_CHECK_INTERVAL', { AGENT_RENEWAL_CHECK_INTERVAL: '90d' }],
    ['AGENT_KUBERNETES_SKIP_TLS_VERIFY', { AGENT_KUBERNETES_SKIP_TLS_VERIFY: 'true' }],
    ['AGENT_KUBERNETES_SKIP_TLS_VERIFY', { AGENT_KUBERNETES_SKIP_TLS_VERIFY: 'true', CLUSTRAL_ENV: 'production' }],
  ])('is refused by the name of %s', (name, said) => {
    expect(() => readAgentConfig({ ...least, ...said })).toThrow(ConfigurationError);
    expect(() => readAgentConfig({ ...least, ...said })).toThrow(name);
  });

  it('may leave the API server unverified only outside production (SC-01)', () => {
    const environment = { ...least, CLUSTRAL_ENV: 'embedded', AGENT_KUBERNETES_SKIP_TLS_VERIFY: 'true' };
    expect(readAgentConfig(environment).kubernetes.skipTlsVerify).toBe(true);
  });
});

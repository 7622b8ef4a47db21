import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentUserName } from './identity.ts';
import { listAt, objectAt, textAt } from './objects.ts';
import { startTestCluster, type TestCluster } from './testing/test-cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => {
  await cluster.stop();
});

describe('who may speak', () => {
  it.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer guess' }],
    ['a token of another scheme', { authorization: 'Basic YTpi' }],
  ])('answers %s with 401 and a Status', async (_, headers) => {
    const answer = await cluster.ask({ path: '/api', as: 'nobody', headers });
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
  });

  it.each([1, 2] as const)('takes each Impersonate-Group header as one group over HTTP/%i', async (http) => {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const headers = { 'impersonate-user': 'x@y', 'impersonate-group': ['a, b', 'c'] };
    const answer = await cluster.ask({ http, method: 'POST', path, as: 'agent', headers, body: {} });
    const userInfo = objectAt(answer.json, 'status', 'userInfo');
    expect(userInfo).toMatchObject({ username: 'x@y', groups: ['a, b', 'c', 'system:authenticated'] });
  });

  it('takes a user of five hundred groups', async () => {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const groups = Array.from({ length: 500 }, (_, index) => `g${index}`);
    const headers = { 'impersonate-user': 'x@y', 'impersonate-group': groups };
    const answer = await cluster.ask({ method: 'POST', path, as: 'agent', headers, body: {} });
    expect(listAt(answer.json, 'status', 'userInfo', 'groups')).toHaveLength(501);
  });

  it.each([1, 2] as const)('reads names as UTF-8 bytes over HTTP/%i', async (http) => {
    const headers = { 'impersonate-user': Buffer.from('山@例').toString('latin1') };
    const answer = await cluster.ask({ http, path: '/api/v1/pods', as: 'agent', headers });
    expect(textAt(answer.json, 'message')).toContain('User "山@例" cannot list resource "pods"');
  });

  it('lets the service account impersonate and nothing else', async () => {
    const answer = await cluster.ask({ path: '/api/v1/pods', as: 'agent' });
    expect(answer.json['message']).toBe(
      `pods is forbidden: User "${agentUserName}" cannot list resource "pods" in API group "" at the cluster scope`,
    );
  });

  it('lets it impersonate no uid, extra or service account', async () => {
    const refused = await Promise.all(
      [{ 'impersonate-uid': '1' }, { 'impersonate-extra-scopes': 'all' }].map((extra) =>
        cluster.ask({ path: '/version', as: 'agent', headers: { 'impersonate-user': 'x', ...extra } }),
      ),
    );
    const account = { 'impersonate-user': 'system:serviceaccount:kube-system:default' };
    refused.push(await cluster.ask({ path: '/version', as: 'agent', headers: account }));
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(textAt(refused[2]?.json, 'message')).toContain('cannot impersonate resource "serviceaccounts"');
  });

  it('refuses groups without a user', async () => {
    const answer = await cluster.ask({ path: '/api', as: 'agent', headers: { 'impersonate-group': 'system:masters' } });
    expect(answer.status).toBe(500);
  });
});

describe('what a viewer is told', () => {
  it.each([
    ['GET', '/api/v1/namespaces/demo/pods', 200, undefined],
    ['GET', '/api/v1/namespaces/demo', 200, undefined],
    ['GET', '/apis/apps/v1/deployments', 200, undefined],
    [
      'GET',
      '/api/v1/namespaces/demo/secrets',
      403,
      'secrets is forbidden: User "dev@example.com" cannot list resource "secrets" in API group "" in the namespace "demo"',
    ],
    [
      'GET',
      '/api/v1/nodes',
      403,
      'nodes is forbidden: User "dev@example.com" cannot list resource "nodes" in API group "" at the cluster scope',
    ],
    [
      'DELETE',
      '/api/v1/namespaces/demo/pods/x',
      403,
      'pods "x" is forbidden: User "dev@example.com" cannot delete resource "pods" in API group "" in the namespace "demo"',
    ],
    [
      'POST',
      '/api/v1/namespaces/default/pods',
      403,
      'pods is forbidden: User "dev@example.com" cannot create resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'PATCH',
      '/apis/apps/v1/namespaces/demo/deployments/web',
      403,
      'deployments.apps "web" is forbidden: User "dev@example.com" cannot patch resource "deployments" in API group "apps" in the namespace "demo"',
    ],
    [
      'POST',
      '/api/v1/namespaces/demo/pods/web/exec',
      403,
      'pods "web" is forbidden: User "dev@example.com" cannot create resource "pods/exec" in API group "" in the namespace "demo"',
    ],
    ['GET', '/metrics', 403, 'forbidden: User "dev@example.com" cannot get path "/metrics"'],
    [
      'GET',
      '/api/v1/namespaces/demo/secrets?watch=1',
      403,
      'secrets is forbidden: User "dev@example.com" cannot watch resource "secrets" in API group "" in the namespace "demo"',
    ],
  ])('%s %s: %i', async (...[method, path, status, message]) => {
    const answer = await cluster.ask({ method, path, as: 'viewer' });
    expect(answer.status).toBe(status);
    expect(answer.json['message']).toBe(message);
  });
});

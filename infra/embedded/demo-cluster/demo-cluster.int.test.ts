import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitVersion } from './identity.ts';
import { listAt, objectAt, textAt, valueAt } from './objects.ts';
import { recordedBodies } from './testing/recorded-bodies.ts';
import { startTestCluster, type TestCluster } from './testing/test-cluster.ts';

const protobuf = {
  'content-type': 'application/vnd.kubernetes.protobuf',
  accept: 'application/vnd.kubernetes.protobuf,application/json',
};
const asTable = {
  accept:
    'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
};
const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => {
  await cluster.stop();
});

describe('paths and headers', () => {
  it.each([
    ['GET', '/nothing', 404, 'NotFound'],
    ['GET', '/api/v1/widgets', 404, 'NotFound'],
    ['GET', '/apis/none.example/v1/widgets', 404, 'NotFound'],
    ['GET', '/api/v1/namespaces/demo/pods/none/nothing', 404, 'NotFound'],
    ['GET', '/api/v1/namespaces/demo/nodes', 404, 'NotFound'],
    ['POST', '/version', 405, 'MethodNotAllowed'],
    ['PUT', '/api/v1/namespaces/demo/pods', 405, 'MethodNotAllowed'],
    ['GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 405, 'MethodNotAllowed'],
    ['GET', '/api/v1/pods/%zz', 400, 'BadRequest'],
    ['GET', '/api/v1/pods?fieldSelector=spec.color=red', 400, 'BadRequest'],
    ['GET', '/api/v1/pods?labelSelector=a%20b', 400, 'BadRequest'],
    ['GET', '/api/v1/pods?resourceVersion=999999', 504, 'Timeout'],
    ['POST', '/api/v1/namespaces/demo/pods/none/exec', 404, 'NotFound'],
    ['GET', '/api/v1/namespaces/demo/pods/none/portforward', 404, 'NotFound'],
    ['POST', '/api/v1/namespaces/demo/serviceaccounts/default/token', 501, 'NotImplemented'],
  ])('%s %s is answered %i %s', async (...[method, path, status, reason]) => {
    const answer = await cluster.ask({ method, path });
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ kind: 'Status', status: 'Failure', reason, code: status });
  });

  it('gives back the audit id it is sent, and makes one otherwise', async () => {
    const sent = await cluster.ask({ path: '/version', headers: { 'audit-id': 'correlation-1' } });
    const made = await cluster.ask({ path: '/version', headers: { 'audit-id': 'two words' } });
    expect(sent.headers['audit-id']).toBe('correlation-1');
    expect(made.headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('says in its version what it is', async () => {
    expect((await cluster.ask({ path: '/version' })).json['gitVersion']).toBe(gitVersion);
  });

  it('refuses a body over three megabytes and goes on', async () => {
    const path = '/api/v1/namespaces/demo/configmaps';
    const big = { metadata: { name: 'big' }, data: { x: 'y'.repeat(3 * 1024 * 1024) } };
    const refused = await cluster.ask({ method: 'POST', path, body: big });
    expect(refused.json).toMatchObject({ reason: 'RequestEntityTooLarge', code: 413 });
    expect((await cluster.ask({ path: '/version' })).status).toBe(200);
  });
});

describe('recorded kubectl exchanges', () => {
  it.each(['/healthz', '/livez', '/readyz'])('%s is ok', async (path) => {
    expect((await cluster.ask({ path, as: 'viewer' })).text).toBe('ok');
  });

  it('tells all kinds in one aggregated answer, and in legacy ones', async () => {
    const apis = await cluster.ask({ path: '/apis?timeout=32s', headers: aggregated });
    expect(apis.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(listAt(apis.json, 'items').map((item) => textAt(item, 'metadata', 'name'))).toContain('apps');
    const legacy = await cluster.ask({ path: '/apis/apps/v1' });
    const scale = listAt(legacy.json, 'resources').find((resource) => textAt(resource, 'name') === 'deployments/scale');
    expect(scale).toMatchObject({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
    expect((await cluster.ask({ path: '/api' })).json).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
  });

  it('lists fieldValidation for every kind that can be applied', async () => {
    const index = await cluster.ask({ path: '/openapi/v3' });
    const url = textAt(index.json, 'paths', 'apis/apps/v1', 'serverRelativeURL');
    const document = await cluster.ask({ path: url });
    const patch = objectAt(document.json, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', 'patch');
    expect(listAt(patch, 'parameters').map((parameter) => textAt(parameter, 'name'))).toContain('fieldValidation');
    expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' });
  });

  it('has an OpenAPI v2 document without bytes for kubectl 1.27', async () => {
    const headers = { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' };
    const answer = await cluster.ask({ path: '/openapi/v2', headers });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it('shows pods as a table with the columns people know', async () => {
    const answer = await cluster.ask({ path: '/api/v1/namespaces/demo/pods?limit=500', headers: asTable });
    expect(answer.json['kind']).toBe('Table');
    const columns = listAt(answer.json, 'columnDefinitions').filter((column) => valueAt(column, 'priority') === 0);
    expect(columns.map((column) => textAt(column, 'name'))).toEqual(['Name', 'Ready', 'Status', 'Restarts', 'Age']);
    expect(listAt(answer.json, 'rows')).toHaveLength(2);
  });

  it('creates what kubectl sends as protobuf', async () => {
    for (const { path, body } of recordedBodies) {
      const query = path.includes('review') ? '' : '?fieldManager=kubectl-create&fieldValidation=Strict';
      const answer = await cluster.ask({ method: 'POST', path: `${path}${query}`, headers: protobuf, body });
      expect([path, answer.status]).toEqual([path, 201]);
    }
    const secret = await cluster.ask({ path: '/api/v1/namespaces/rec/secrets/s' });
    expect(secret.json).toMatchObject({ type: 'Opaque', data: { p: 'cQ==' } });
  });

  it('answers can-i by the rights of whoever asks', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const may = async (verb: string, resource: string): Promise<unknown> => {
      const body = { spec: { resourceAttributes: { namespace: 'demo', verb, resource } } };
      return valueAt((await cluster.ask({ method: 'POST', path, as: 'viewer', body })).json, 'status', 'allowed');
    };
    expect([await may('get', 'pods'), await may('delete', 'pods'), await may('get', 'secrets')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('pages a list by limit and continue', async () => {
    const first = await cluster.ask({ path: '/api/v1/namespaces?limit=2' });
    const token = textAt(first.json, 'metadata', 'continue');
    const rest = await cluster.ask({ path: `/api/v1/namespaces?limit=500&continue=${token}` });
    const names = [first, rest].flatMap(({ json }) =>
      listAt(json, 'items').map((item) => textAt(item, 'metadata', 'name')),
    );
    expect(names.slice(0, 4)).toEqual(['clustral', 'default', 'demo', 'kube-system']);
  });
});

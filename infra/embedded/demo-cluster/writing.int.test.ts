import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JsonObject, listAt, objectAt, textAt, valueAt } from './objects.ts';
import { startTestCluster, type Answer, type TestCluster } from './testing/test-cluster.ts';

const maps = '/api/v1/namespaces/writing/configmaps';
const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
const merge = { 'content-type': 'application/merge-patch+json' };
const apply = { 'content-type': 'application/apply-patch+yaml' };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.ask({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'writing' } } });
});
afterAll(async () => {
  await cluster.stop();
});

describe('creating', () => {
  it('refuses a taken name, a missing namespace and a bad name in words kubectl prints', async () => {
    await create('taken', {});
    const taken = await create('taken', {});
    const homeless = await cluster.ask({
      method: 'POST',
      path: '/api/v1/namespaces/none/configmaps',
      body: { metadata: { name: 'x' } },
    });
    const bad = await create('Bad_Name', {});
    expect(taken.json).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "taken" already exists',
    });
    expect(homeless.json).toMatchObject({ code: 404, message: 'namespaces "none" not found' });
    expect(bad.json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(textAt(bad.json, 'message')).toMatch(
      /^ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name"/,
    );
  });

  it('refuses fields that do not exist, warns of them or passes over them, as asked', async () => {
    const body = { metadata: { name: 'odd' }, dato: {} };
    const ask = (validation: string): Promise<Answer> =>
      cluster.ask({ method: 'POST', path: `${maps}?dryRun=All&fieldValidation=${validation}`, body });
    const [strict, warn, ignore] = [await ask('Strict'), await ask('Warn'), await ask('Ignore')];
    expect(textAt(strict.json, 'message')).toContain('strict decoding error: unknown field "dato"');
    expect([warn.status, warn.headers['warning']]).toEqual([201, '299 - "unknown field \\"dato\\""']);
    expect([ignore.status, ignore.headers['warning']]).toEqual([201, undefined]);
  });

  it('stores nothing in a dry run', async () => {
    const answer = await cluster.ask({
      method: 'POST',
      path: `${maps}?dryRun=All`,
      body: { metadata: { name: 'dry' } },
    });
    expect(answer.status).toBe(201);
    expect((await cluster.ask({ path: `${maps}/dry` })).status).toBe(404);
  });

  it('lets nobody choose what the server chooses', async () => {
    const forged = {
      uid: 'mine',
      creationTimestamp: '2001-01-01T00:00:00Z',
      deletionTimestamp: '2001-01-01T00:00:00Z',
    };
    const answer = await cluster.ask({ method: 'POST', path: maps, body: { metadata: { name: 'forged', ...forged } } });
    expect(valueAt(answer.json, 'metadata', 'deletionTimestamp')).toBeUndefined();
    expect(textAt(answer.json, 'metadata', 'uid')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('lets nobody grant what they do not hold', async () => {
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/writing/rolebindings';
    const bind = (role: string, user: string): Promise<Answer> => {
      const body = {
        metadata: { name: `${role}-${user}` },
        subjects: [{ kind: 'User', name: user }],
        roleRef: { kind: 'ClusterRole', name: role },
      };
      const headers = { 'impersonate-user': 'owner' };
      return cluster.ask({
        method: 'POST',
        path: roles,
        ...(user === 'owner' ? { body } : { as: 'agent', headers, body }),
      });
    };
    expect((await bind('admin', 'owner')).status).toBe(201);
    expect((await bind('view', 'friend')).status).toBe(201);
    const refused = await bind('cluster-admin', 'friend');
    expect(refused.status).toBe(403);
    expect(textAt(refused.json, 'message')).toContain('is attempting to grant RBAC permissions not currently held');
  });
});

describe('changing', () => {
  it('refuses a version that is not the latest', async () => {
    const made = await create('raced', { a: '1' });
    await cluster.ask({ method: 'PATCH', path: `${maps}/raced`, headers: merge, body: { data: { a: '2' } } });
    const late = await cluster.ask({ method: 'PUT', path: `${maps}/raced`, body: made.json });
    expect(late.json).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(textAt(late.json, 'message')).toContain('the object has been modified');
  });

  it('keeps the revision when nothing changes', async () => {
    const made = await create('same', { a: '1' });
    const again = await cluster.ask({
      method: 'PATCH',
      path: `${maps}/same`,
      headers: merge,
      body: { data: { a: '1' } },
    });
    expect(textAt(again.json, 'metadata', 'resourceVersion')).toBe(textAt(made.json, 'metadata', 'resourceVersion'));
  });

  it('changes one container of several by a strategic merge', async () => {
    await cluster.ask({ method: 'POST', path: deployments, body: deployment('two', ['a', 'b']) });
    const patch = { spec: { template: { spec: { containers: [{ name: 'b', image: 'b:2' }] } } } };
    const answer = await cluster.ask({ method: 'PATCH', path: `${deployments}/two`, headers: strategic, body: patch });
    expect(images(answer)).toEqual(['a:1', 'b:2']);
    expect(valueAt(answer.json, 'metadata', 'generation')).toBe(2);
  });

  it('never changes a selector', async () => {
    await cluster.ask({ method: 'POST', path: deployments, body: deployment('fixed', ['a']) });
    const patch = {
      spec: { selector: { matchLabels: { app: 'other' } }, template: { metadata: { labels: { app: 'other' } } } },
    };
    const answer = await cluster.ask({ method: 'PATCH', path: `${deployments}/fixed`, headers: merge, body: patch });
    expect(answer.status).toBe(422);
    expect(textAt(answer.json, 'message')).toContain('spec.selector: Invalid value');
  });

  it('scales through the scale subresource', async () => {
    await cluster.ask({ method: 'POST', path: deployments, body: deployment('scaled', ['a']) });
    const path = `${deployments}/scaled/scale`;
    const answer = await cluster.ask({ method: 'PATCH', path, headers: merge, body: { spec: { replicas: 3 } } });
    expect(answer.json).toMatchObject({ kind: 'Scale', spec: { replicas: 3 }, status: { selector: 'app=scaled' } });
    expect(valueAt((await cluster.ask({ path: `${deployments}/scaled` })).json, 'spec', 'replicas')).toBe(3);
  });
});

describe('server-side apply', () => {
  const applyAs = (manager: string, data: object, force = false): Promise<Answer> => {
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data });
    const path = `${maps}/applied?fieldManager=${manager}&force=${force}`;
    return cluster.ask({ method: 'PATCH', path, headers: apply, body });
  };

  it('creates, takes away what is no longer applied, and keeps what others set', async () => {
    expect((await applyAs('one', { a: '1', b: '1' })).status).toBe(201);
    await cluster.ask({ method: 'PATCH', path: `${maps}/applied`, headers: merge, body: { data: { c: '1' } } });
    const answer = await applyAs('one', { a: '1' });
    expect(objectAt(answer.json, 'data')).toEqual({ a: '1', c: '1' });
  });

  it('names the field and the manager of a conflict, and obeys force', async () => {
    const refused = await applyAs('two', { a: '2' });
    expect(refused.json).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(listAt(refused.json, 'details', 'causes')).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
    ]);
    expect(objectAt((await applyAs('two', { a: '2' }, true)).json, 'data')).toMatchObject({ a: '2' });
  });
});

const deployments = '/apis/apps/v1/namespaces/writing/deployments';

function create(name: string, data: object): Promise<Answer> {
  return cluster.ask({ method: 'POST', path: maps, body: { metadata: { name }, data } });
}

function deployment(name: string, containers: string[]): JsonObject {
  const labels = { app: name };
  const spec = { containers: containers.map((container) => ({ name: container, image: `${container}:1` })) };
  return { metadata: { name }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } };
}

function images(answer: Answer): string[] {
  return listAt(answer.json, 'spec', 'template', 'spec', 'containers').map((container) => textAt(container, 'image'));
}

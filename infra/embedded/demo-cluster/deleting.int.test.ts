import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JsonObject, listAt, textAt } from './objects.ts';
import { startTestCluster, type Answer, type TestCluster } from './testing/test-cluster.ts';

const maps = '/api/v1/namespaces/deleting/configmaps';
const deployments = '/apis/apps/v1/namespaces/deleting/deployments';
const merge = { 'content-type': 'application/merge-patch+json' };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.ask({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'deleting' } } });
});
afterAll(async () => {
  await cluster.stop();
});

describe('deleting', () => {
  it('answers with what is gone and takes dependents along', async () => {
    await cluster.ask({ method: 'POST', path: deployments, body: deployment('gone', ['a']) });
    await until(async () => (await podsOf('gone')) === 1);
    const answer = await cluster.ask({ method: 'DELETE', path: `${deployments}/gone` });
    expect(answer.json).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'gone', kind: 'deployments' },
    });
    await until(async () => (await podsOf('gone')) === 0);
  });

  it('keeps dependents that are to be orphaned', async () => {
    await cluster.ask({ method: 'POST', path: deployments, body: deployment('left', ['a']) });
    await until(async () => (await podsOf('left')) === 1);
    await cluster.ask({ method: 'DELETE', path: `${deployments}/left`, body: { propagationPolicy: 'Orphan' } });
    const sets = await cluster.ask({ path: '/apis/apps/v1/namespaces/deleting/replicasets?labelSelector=app=left' });
    expect(listAt(sets.json, 'items')).toHaveLength(1);
  });

  it('deletes only the object whose uid was meant', async () => {
    await create('other', {});
    const answer = await cluster.ask({
      method: 'DELETE',
      path: `${maps}/other`,
      body: { preconditions: { uid: 'not-it' } },
    });
    expect(answer.json).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  it('waits for finalizers', async () => {
    await cluster.ask({
      method: 'POST',
      path: maps,
      body: { metadata: { name: 'held', finalizers: ['example.com/hold'] } },
    });
    const held = await cluster.ask({ method: 'DELETE', path: `${maps}/held` });
    expect(textAt(held.json, 'metadata', 'deletionTimestamp')).not.toBe('');
    await cluster.ask({
      method: 'PATCH',
      path: `${maps}/held`,
      headers: merge,
      body: { metadata: { finalizers: null } },
    });
    expect((await cluster.ask({ path: `${maps}/held` })).status).toBe(404);
  });

  it('empties a namespace before it goes, lets nothing new in, and keeps the default one', async () => {
    await cluster.ask({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'short' } } });
    await cluster.ask({ method: 'POST', path: '/api/v1/namespaces/short/pods', body: pod('p') });
    await until(async () => (await cluster.ask({ path: '/api/v1/namespaces/short/pods/p/log' })).status === 200);
    await cluster.ask({ method: 'DELETE', path: '/api/v1/namespaces/short' });
    const late = await cluster.ask({ method: 'POST', path: '/api/v1/namespaces/short/pods', body: pod('late') });
    expect(textAt(late.json, 'message')).toContain('because it is being terminated');
    await until(async () => (await cluster.ask({ path: '/api/v1/namespaces/short' })).status === 404);
    expect((await cluster.ask({ path: '/api/v1/namespaces/short/pods/p' })).status).toBe(404);
    expect((await cluster.ask({ method: 'DELETE', path: '/api/v1/namespaces/default' })).status).toBe(403);
  });
});

function create(name: string, data: object): Promise<Answer> {
  return cluster.ask({ method: 'POST', path: maps, body: { metadata: { name }, data } });
}

function deployment(name: string, containers: string[]): JsonObject {
  const labels = { app: name };
  const spec = { containers: containers.map((container) => ({ name: container, image: `${container}:1` })) };
  return { metadata: { name }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } };
}

function pod(name: string): JsonObject {
  return { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } };
}

async function podsOf(app: string): Promise<number> {
  const pods = await cluster.ask({ path: `/api/v1/namespaces/deleting/pods?labelSelector=app=${app}` });
  return listAt(pods.json, 'items').length;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { interval: 10, timeout: 5_000 }).toBe(true);
}

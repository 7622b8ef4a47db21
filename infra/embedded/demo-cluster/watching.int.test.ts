import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JsonObject, listAt, textAt, valueAt } from './objects.ts';
import { startTestCluster, type TestCluster } from './testing/test-cluster.ts';

const maps = '/api/v1/namespaces/demo/configmaps';
const pods = '/api/v1/namespaces/demo/pods';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => {
  await cluster.stop();
});

describe('watching', () => {
  it.each([1, 2] as const)('tells every change once and in order over HTTP/%i', async (http) => {
    const from = await revision();
    const seen = events(`${maps}?watch=true&resourceVersion=${from}&fieldSelector=metadata.name=w${http}`, 3, http);
    await cluster.ask({ method: 'POST', path: maps, body: { metadata: { name: `w${http}` } } });
    await cluster.ask({ method: 'POST', path: maps, body: { metadata: { name: `not-w${http}` } } });
    await patch(`w${http}`, { data: { a: 'b' } });
    await cluster.ask({ method: 'DELETE', path: `${maps}/w${http}` });
    const types = (await seen).map((event) => event['type']);
    expect(types).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('begins with what is there, closed by the bookmark that wait and rollout status look for', async () => {
    const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const seen = await events(`${maps}?${query}&fieldSelector=metadata.name=web-config`, 2);
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK']);
    expect(valueAt(seen[1], 'object', 'metadata', 'annotations')).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(Number(textAt(seen[1], 'object', 'metadata', 'resourceVersion'))).toBeGreaterThan(0);
  });

  it('tells of an object that starts or stops matching as added or deleted', async () => {
    await cluster.ask({ method: 'POST', path: maps, body: { metadata: { name: 'turning' } } });
    const from = await revision();
    const seen = events(`${maps}?watch=true&resourceVersion=${from}&labelSelector=on`, 2);
    await patch('turning', { metadata: { labels: { on: 'yes' } } });
    await patch('turning', { metadata: { labels: null } });
    expect((await seen).map(({ type }) => type)).toEqual(['ADDED', 'DELETED']);
  });

  it('sends rows when a table is asked for, naming the columns once', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const rows: JsonObject[] = [];
    for await (const line of cluster.lines({ path: `${pods}?watch=true`, headers: { accept } })) {
      rows.push(JSON.parse(line) as JsonObject);
      if (rows.length === 2) break;
    }
    expect(rows.map((row) => listAt(row, 'object', 'rows').length)).toEqual([1, 1]);
    expect(rows.map((row) => listAt(row, 'object', 'columnDefinitions').length > 0)).toEqual([true, false]);
  });

  it('refuses a revision it no longer knows', async () => {
    const answer = await cluster.ask({ path: `${maps}?watch=true&resourceVersion=999999` });
    expect(answer.json).toMatchObject({ code: 410, reason: 'Expired' });
  });

  it('ends when its time is over', async () => {
    const answer = await cluster.ask({
      path: `${maps}?watch=true&timeoutSeconds=1&resourceVersion=${await revision()}`,
    });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it('ends when the cluster stops', async () => {
    const other = await startTestCluster();
    let seen = 0;
    let started = 0;
    for await (const _line of other.lines({ path: `${maps}?watch=true&resourceVersion=0`, http: 1 })) {
      seen += 1;
      if (seen > 1) continue;
      started = performance.now();
      void other.stop();
    }
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});

describe('logs', () => {
  it('prints, cuts and stamps lines as asked, and says what there is not', async () => {
    const name = await runningPod();
    const log = async (query: string): Promise<string> =>
      (await cluster.ask({ path: `${pods}/${name}/log?${query}` })).text;
    expect(await log('')).toMatch(/^web started from shop\/web:1\.4\.2/);
    expect((await log('tailLines=1')).trimEnd().split('\n')).toHaveLength(1);
    expect(await log('tailLines=0')).toBe('');
    expect(await log('timestamps=true')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z web started/);
    expect(await log('limitBytes=3')).toBe('web');
    expect(await log('previous=true')).toContain('previous terminated container \\"web\\" in pod');
    expect(await log('container=none')).toContain('container none is not valid for pod');
  });

  it('goes on line by line while it is followed', async () => {
    const lines: string[] = [];
    for await (const line of cluster.lines({ path: `${pods}/${await runningPod()}/log?follow=true` })) {
      lines.push(line);
      if (lines.length === 2) break;
    }
    expect(lines[1]).toMatch(/GET \/\S* (200|404|500) \d+ms$/);
  });

  it('ends with the pod', async () => {
    const name = await runningPod();
    const followed = cluster.ask({ path: `${pods}/${name}/log?follow=true` });
    await cluster.ask({ method: 'DELETE', path: `${pods}/${name}?gracePeriodSeconds=0` });
    expect((await followed).text).toContain('web started from');
  });
});

async function events(path: string, count: number, http: 1 | 2 = 2): Promise<JsonObject[]> {
  const seen: JsonObject[] = [];
  for await (const line of cluster.lines({ path, http })) {
    seen.push(JSON.parse(line) as JsonObject);
    if (seen.length === count) break;
  }
  return seen;
}

async function revision(): Promise<string> {
  return textAt((await cluster.ask({ path: maps })).json, 'metadata', 'resourceVersion');
}

function patch(name: string, body: JsonObject): ReturnType<TestCluster['ask']> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  return cluster.ask({ method: 'PATCH', path: `${maps}/${name}`, headers, body });
}

async function runningPod(): Promise<string> {
  let name = '';
  const find = async (): Promise<boolean> => {
    const list = await cluster.ask({ path: `${pods}?fieldSelector=status.phase=Running` });
    name = textAt(listAt(list.json, 'items')[0], 'metadata', 'name');
    return name !== '';
  };
  await expect.poll(find, { interval: 10, timeout: 5_000 }).toBe(true);
  return name;
}

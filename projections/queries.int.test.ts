import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FactMetadata } from '@clustral/schemas/events/envelope.ts';
import { getAssignment, listAssignments } from './access.ts';
import { getAccessRequest, listAccessRequests } from './access-request-queries.ts';
import { auditEvents, getAuditEvent } from './audit/query.ts';
import { getCluster, listClusters } from './clusters.ts';
import { getCredential, listCredentials } from './credentials.ts';
import type { Page, PageRequest } from './page.ts';
import type { ReadStore } from './read-store.ts';
import { getRole, listRoles } from './roles.ts';
import {
  approved,
  assigned,
  clusterDeleted,
  issued,
  registered,
  requested,
  revoked,
  roleCreated,
  roleDeleted,
  synced,
  userIs,
} from './testing/people.ts';
import { storeAfter } from './testing/rig.ts';
import { Story } from './testing/story.ts';
import { getUser, listUsers } from './users.ts';

const by = (id: string): Partial<FactMetadata> => ({ actor: { kind: 'user', id } });
const story = new Story()
  .tell('user-ada', synced('ada', 'ada@old.example'), by('ada'))
  .tell('user-dev', synced('dev'), by('dev'))
  .tell('user-ada', synced('ada', 'ada@corp.example'), by('ada'))
  .tell('user-anonymous', synced('anonymous', null), by('anonymous'))
  .tell('user-gone', synced('gone'), by('gone'))
  .tell('user-gone', userIs('gone', 'disabled'), by('ada'));
for (const name of ['delta', 'alpha', 'charlie', 'bravo']) {
  story.tell(`cluster-${name}`, registered(`${name}-id`, name), by('ada'));
  story.tell(`role-${name}`, roleCreated(`${name}-role`, name), by('ada'));
}
const of = { user: 'dev', cluster: 'alpha-id', role: 'bravo-role' };
story
  .tell('access-1', assigned('a1', of), by('ada'))
  .tell('access-2', assigned('a2', { ...of, cluster: 'bravo-id' }), by('ada'))
  .tell('access-3', assigned('a3', { ...of, cluster: 'delta-id' }))
  .tell('access-4', requested('q1', { ...of, cluster: 'charlie-id' }), by('dev'))
  .tell('access-4', approved('q1', { ...of, cluster: 'charlie-id' }), by('ada'))
  .tell('access-5', requested('q2', { ...of, user: 'ada' }), by('ada'));
for (const [index, cluster] of ['alpha-id', 'bravo-id', 'alpha-id'].entries()) {
  story.tell(`credential-k${index}`, issued(`k${index}`, { user: 'dev', cluster }), by('dev'));
}
story
  .tell('credential-kx', issued('kx', { user: 'ada', cluster: 'alpha-id' }), by('ada'))
  .tell('credential-k0', revoked('k0', of), by('dev'))
  .tell('cluster-delta', clusterDeleted('delta-id', 'delta'), by('ada'))
  .tell('role-delta', roleDeleted('delta-role', 'delta'), by('ada'));

describe('what the read models answer', () => {
  let store: ReadStore;
  let opened: Awaited<ReturnType<typeof storeAfter>>;
  beforeAll(async () => {
    opened = await storeAfter(story.facts);
    store = opened.store;
  });
  afterAll(() => opened.close());

  const names = (page: Page<{ readonly name: string }>) => page.items.map(({ name }) => name);
  /** Everything over pages of one. */
  const walk = async <T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<readonly T[]> => {
    const all: T[] = [];
    for (let after: string | undefined; ;) {
      const page: Page<T> = await list({ limit: 1, ...(after === undefined ? {} : { after }) });
      all.push(...page.items);
      after = page.next;
      if (after === undefined) return all;
    }
  };

  it('clusters by name, without those that are gone', async () => {
    expect(names(await listClusters(store, { limit: 10 }))).toEqual(['alpha', 'bravo', 'charlie']);
    expect((await walk((page) => listClusters(store, page))).map(({ name }) => name)).toEqual([
      'alpha',
      'bravo',
      'charlie',
    ]);
    expect(names(await listClusters(store, { limit: 10, name: 'bravo' }))).toEqual(['bravo']);
    expect(names(await listClusters(store, { limit: 10, name: 'delta' }))).toEqual([]);
    expect(await getCluster(store, 'alpha-id')).toMatchObject({ name: 'alpha' });
    expect(await getCluster(store, 'delta-id')).toBeUndefined();
  });

  it('roles by name, without those that are gone', async () => {
    expect((await walk((page) => listRoles(store, page))).map(({ name }) => name)).toEqual([
      'alpha',
      'bravo',
      'charlie',
    ]);
    expect(names(await listRoles(store, { limit: 10, name: 'charlie' }))).toEqual(['charlie']);
    expect(await getRole(store, 'bravo-role')).toMatchObject({ name: 'bravo', revision: 0 });
    expect(await getRole(store, 'delta-role')).toBeUndefined();
  });

  it('people by e-mail, those without one by user name', async () => {
    const all = await walk((page) => listUsers(store, page));
    expect(all.map(({ displayName }) => displayName)).toEqual([
      'ada@corp.example',
      'anonymous',
      'dev@corp.example',
      'gone@corp.example',
    ]);
    const called = async (name: string) => (await listUsers(store, { limit: 5, name })).items.map(({ _id }) => _id);
    expect(await called('dev@corp.example')).toEqual(['dev']);
    expect(await called('anonymous')).toEqual(['anonymous']);
    expect(await called('ada@old.example')).toEqual([]);
    expect(await getUser(store, 'gone')).toMatchObject({ disabled: true });
  });

  it('the assignments of a person, with names, without those that have ended', async () => {
    expect(await listAssignments(store, 'dev')).toMatchObject([
      { _id: 'a1', clusterName: 'alpha', roleName: 'bravo', assignedBy: 'ada@corp.example' },
      { _id: 'a2', clusterName: 'bravo', roleName: 'bravo' },
    ]);
    expect(await listAssignments(store, 'ada')).toEqual([]);
    expect(await getAssignment(store, 'a2')).toMatchObject({ clusterName: 'bravo' });
    expect(await getAssignment(store, 'a3')).toBeUndefined();
    expect(await getAssignment(store, 'none')).toBeUndefined();
  });

  it('access requests, newest first', async () => {
    const ids = async (query: Parameters<typeof listAccessRequests>[1]) =>
      (await listAccessRequests(store, query)).items.map(({ _id }) => _id);
    expect(await ids({ limit: 5 })).toEqual(['q2', 'q1']);
    expect(await ids({ limit: 5, status: 'approved' })).toEqual(['q1']);
    expect(await ids({ limit: 5, userId: 'ada' })).toEqual(['q2']);
    expect(await ids({ limit: 5, clusterId: 'charlie-id', status: 'pending' })).toEqual([]);
  });

  it('an access request with the names in it and its role as it is now', async () => {
    const [first] = (await listAccessRequests(store, { limit: 1, status: 'approved' })).items;
    expect(await getAccessRequest(store, 'q1')).toEqual(first);
    expect(first).toMatchObject({
      requesterName: 'dev@corp.example',
      clusterName: 'charlie',
      roleName: 'bravo',
      reviewerName: '',
      role: { k8sGroups: ['viewers'], revision: 0 },
    });
    expect(await getAccessRequest(store, 'none')).toBeUndefined();
  });

  it('credentials with names, of one person or cluster, or only those that are alive', async () => {
    const ids = async (query: Parameters<typeof listCredentials>[1]) =>
      (await listCredentials(store, query)).items.map(({ _id }) => _id);
    const during = 1_800_000_001_000;
    expect(await ids({ limit: 9 })).toEqual(['kx', 'k2', 'k1', 'k0']);
    expect(await ids({ limit: 9, userId: 'dev' })).toEqual(['k2', 'k1', 'k0']);
    expect(await ids({ limit: 9, clusterId: 'bravo-id' })).toEqual(['k1']);
    expect(await ids({ limit: 9, userId: 'dev', clusterId: 'alpha-id', activeAt: during })).toEqual(['k2']);
    expect(await ids({ limit: 9, activeAt: 1_800_003_600_000 })).toEqual([]);
    expect(await walk((page) => listCredentials(store, { ...page, activeAt: during }))).toMatchObject([
      { _id: 'kx', user: 'ada@corp.example', clusterName: 'alpha' },
      { _id: 'k2', user: 'dev@corp.example' },
      { _id: 'k1', clusterName: 'bravo' },
    ]);
    expect(await getCredential(store, 'k0')).toMatchObject({ revoked: true, revokedReason: 'asked for' });
  });

  it('audit events of a person by any name they have had', async () => {
    const counted = async (user: string) => (await auditEvents(store, { filters: { user }, limit: 1 })).total;
    const all = await counted('ada');
    expect(all).toBeGreaterThan(10);
    expect(await counted('ADA@Corp.Example')).toBe(all);
    expect(await counted('ada@old.example')).toBe(all);
    expect(await counted('ad')).toBe(0);
    expect(await counted('dev')).not.toBe(all);
  });

  it('audit events under the names of their time, each once over the pages', async () => {
    const rows = await walk((page) => auditEvents(store, { filters: {}, ...page }));
    expect(rows).toHaveLength(story.facts.length);
    expect(rows.map(({ position }) => position)).toEqual(
      story.facts.map(({ position }) => Number(position)).toReversed(),
    );
    expect(rows.at(-1)).toMatchObject({ user: 'ada@old.example' });
    expect(await getAuditEvent(store, rows[0]?.uid ?? '')).toEqual(rows[0]);
    expect(await getAuditEvent(store, 'none')).toBeUndefined();
  });

  it('nothing for a text without a word', async () => {
    expect((await auditEvents(store, { filters: { text: '%' }, limit: 5 })).items).toEqual([]);
  });

  it('a refusal for a page token that was made for another list', async () => {
    const { next } = await listCredentials(store, { limit: 1 });
    await expect(listClusters(store, { limit: 1, after: next ?? '' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      field: 'pageToken',
    });
  });
});

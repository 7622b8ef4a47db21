import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '@clustral/gateway/testing/gateway.ts';
import { admin, startWholePath, type WholePath } from './parts/whole-path.ts';

let path: WholePath;
beforeAll(async () => {
  path = await startWholePath();
});
afterAll(() => path.stop());

/** A raw command of the administrator; bytes of the body as they are. */
async function post(contentType: string, body: string, target = '/api/v1/roles'): Promise<string> {
  const token = await path.accessToken(admin);
  return path.raw(
    `POST ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${contentType}Connection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`,
  );
}

describe('GW-12 a body that no role can be made of', () => {
  it.each([
    'Content-Type: application/json\tx\r\n',
    'Content-Type:  application/json\r\n',
    'Content-Type: application/json;a\r\n',
    'Content-Type: text/plain\r\n',
    '',
  ])('is refused under %j', async (contentType) => {
    const answer = await post(contentType, '{"name":"Not A Name","k8sGroups":[]}');
    expect([400, 415, 422], answer).toContain(statusOf(answer));
  });
});

describe('GW-13 JSON that abuses its readers', () => {
  const json = 'Content-Type: application/json\r\n';
  const good = '"k8sGroups":["g"]';

  it.each([
    ['a hundred thousand levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a number where a word belongs', `{"name":1,${good}}`],
    ['a key of every object', `{"__proto__":{"name":"polluted"},${good}}`],
    ['a constructor', `{"constructor":{"prototype":{"name":"polluted"}},${good}}`],
    ['a number without end', `{"name":1e400,${good}}`],
    ['half a character', `{"name":"a\\ud800",${good}}`],
    ['more behind its end', `{"name":"behind",${good}} x`],
    ['nothing', ''],
  ])('%s is refused in no time', async (_, body) => {
    const began = performance.now();
    const answer = await post(json, body);
    expect([400, 415, 422], answer.slice(0, 300)).toContain(statusOf(answer));
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(({} as { name?: string }).name).toBeUndefined();
  });

  it('packed is not unpacked', async () => {
    const packed = gzipSync('{"name":"packed","k8sGroups":["g"]}').toString('latin1');
    const answer = await post(`${json}Content-Encoding: gzip\r\n`, packed);
    expect([400, 415, 422], answer).toContain(statusOf(answer));
  });
});

describe('GW-13 a body that names a key twice', () => {
  const json = 'Content-Type: application/json\r\n';

  it.each([
    ['REST', '/api/v1/roles', '{"name":"one","k8sGroups":["g"],"name":"two"}', 'name'],
    ['REST, written otherwise', '/api/v1/roles', '{"name":"one","k8sGroups":["g"],"na\\u006de":"two"}', 'name'],
    [
      'REST, deeper',
      '/api/v1/roles',
      '{"name":"one","k8sGroups":["g"],"review":{"approvals":1,"approvals":5}}',
      'approvals',
    ],
    ['REST, by both of its names', '/api/v1/roles', '{"name":"one","k8sGroups":["g"],"k8s_groups":["h"]}', 'k8sGroups'],
    ['Connect', '/clustral.v1.RoleService/CreateRole', '{"name":"one","k8sGroups":["g"],"name":"two"}', 'name'],
  ])('is refused over %s, in a sentence that names it', async (...[, target, body, key]) => {
    const answer = await post(json, body, target);
    expect(statusOf(answer), answer).toBe(400);
    expect(answer).toContain(`names \\"${key}\\" twice`);
    const { json: listed } = await path.rest(admin, 'GET /api/v1/roles?name=one');
    expect(listed['roles'] ?? []).toEqual([]);
  });
});

describe('ES-07 an operator where a value belongs', () => {
  it.each([
    ['POST /api/v1/auth/kubeconfig-credential', { clusterId: { $ne: null } }],
    ['POST /api/v1/auth/kubeconfig-credential', { clusterId: ['a'] }],
    ['POST /api/v1/roles', { name: { $gt: '' }, k8sGroups: ['g'] }],
    ['POST /api/v1/roles', { name: 'odd', k8sGroups: { $ne: null } }],
    ['POST /api/v1/clusters', { name: 'odd', labels: { $where: '1' } }],
    ['POST /api/v1/clusters', { name: 'odd', labels: { a: { $ne: null } } }],
  ])('%s with %j is a validation error', async (line, body) => {
    const { status, json } = await path.rest(admin, line, body);
    expect([status, json['code']]).toEqual([422, 'VALIDATION_ERROR']);
  });
});

describe('AZ-02 an id of something else', () => {
  it('stands for nothing', async () => {
    const made = await path.rest(admin, 'POST /api/v1/roles', { name: 'a-role', k8sGroups: ['g'] });
    const roleId = String(made.json['id']);
    const { userId } = await path.holder({ sub: 'alice', email: 'alice@corp.test' });
    const assignments = `POST /api/v1/users/${userId}/assignments`;
    for (const [line, body] of [
      [`DELETE /api/v1/clusters/${roleId}`, undefined],
      [`DELETE /api/v1/roles/${path.c1}`, undefined],
      ['POST /api/v1/auth/kubeconfig-credential', { clusterId: roleId }],
      [assignments, { roleId, clusterId: roleId }],
      [assignments, { roleId: path.c1, clusterId: path.c1 }],
      [`POST /api/v1/users/${roleId}/assignments`, { roleId, clusterId: path.c1 }],
    ] as const) {
      const { status } = await path.rest(admin, line, body);
      expect([404, 422], line).toContain(status);
    }
  });
});

describe('AZ-03 an administrator who is none any more at the provider', () => {
  it('is refused with the next token, and lets nobody else in', async () => {
    const sub = randomUUID();
    const email = 'dan@corp.test';
    const create = (roles: readonly string[]) =>
      path.rest({ sub, email, realm_access: { roles } }, 'POST /api/v1/roles', {
        name: `r-${randomUUID().slice(0, 8)}`,
        k8sGroups: ['g'],
      });
    expect((await create(['clustral-admin'])).status).toBe(201);
    const refused = await create(['clustral-user']);
    expect([refused.status, refused.json['code']]).toEqual([403, 'FORBIDDEN']);
  });
});

describe('AZ-05 a role on one cluster', () => {
  it('is no role on another', async () => {
    const who = { sub: 'erin', email: 'erin@corp.test' };
    await path.holder(who, ['g']);
    const issued = await path.rest(who, 'POST /api/v1/auth/kubeconfig-credential', { clusterId: path.c2 });
    const answer = await path.raw(
      `GET /api/proxy/${path.c2}/api/v1/pods HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${String(issued.json['token'])}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(403);
    expect(answer).toContain('NO_ROLE_ASSIGNMENT');
  });
});

/** Access on request as a process: asked for, shown, decided, taken back, and what is said when it cannot be. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { ReviewRulesSchema, RoleSchema } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { AccessSchema, ClusterAccessSource } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { AccessRequestStatus } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { exampleRequest } from '../testing/access-api.ts';
import { clusterId, exampleState } from '../testing/api.ts';
import { makeHome, signIn, type Finished, type Home } from '../testing/command-line.ts';
import { startInstallation, type Installation } from '../testing/installation.ts';

let installation: Installation;
let home: Home;
beforeAll(async () => {
  installation = await startInstallation();
  home = makeHome();
  expect((await signIn(home, installation)).code).toBe(0);
});
afterAll(async () => {
  home.remove();
  await installation.close();
});
beforeEach(() => {
  Object.assign(installation.state, exampleState());
});

const otherRoleId = '0198f7a0-0000-7000-8000-00000000000b';
const run = (...words: readonly string[]): Promise<Finished> => home.run(words);
const pending = (id: string) => exampleRequest({ id: `${id}-0000-4000-8000-000000000001` });

describe('asking for access', () => {
  it.each([
    ['the cluster as an argument', ['access', 'request', 'prod']],
    ['the cluster as a flag', ['access', 'request', '--cluster', 'prod']],
  ])('takes %s, and says what comes next', async (_, words) => {
    const { code, stdout, stderr } = await run(...words, '--role', 'k8s-viewer', '--for', '2h', '--reason', 'a look');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f-]{36} {3}Pending: dev@clustral\.local asks for k8s-viewer on prod for 2h\n$/);
    expect(stderr).not.toBe('');
    expect(installation.state.requests).toMatchObject([{ clusterName: 'prod', duration: '2h', reason: 'a look' }]);
  });

  it('takes the one role that there is when none is named', async () => {
    expect((await run('access', 'request', 'prod')).stdout).toContain('asks for k8s-viewer on prod');
  });

  it('gives an object with the words of the API to scripts', async () => {
    const { stdout } = await run('access', 'request', 'prod', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'Pending', clusterName: 'prod', roleName: 'k8s-viewer' });
  });

  it('may ask for a time that begins later', async () => {
    const { code, stdout, stderr } = await run('access', 'request', 'prod', '--starts-at', '2099-12-01T22:00+01:00');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('for 1h from 2099-12-01T21:00:00Z\n');
  });

  it.each([
    ['request --extends', ['access', 'request', '--extends', '7f3c', '--for', '2h']],
    ['extend', ['access', 'extend', '7f3c', '--for', '2h']],
  ])('asks for more of what one has with access %s', async (_, words) => {
    const held = exampleRequest({ id: '7f3c0001-0000-4000-8000-000000000001', status: AccessRequestStatus.APPROVED });
    installation.state.requests = [held];
    const { code, stderr } = await run(...words);
    expect(code, stderr).toBe(0);
    expect(installation.state.requests[0]).toMatchObject({
      extends: held.id,
      clusterId: held.clusterId,
      duration: '2h',
    });
  });

  it.each([
    ['a start without a zone', ['access', 'request', 'prod', '--starts-at', '2026-12-01T22:00'], 2],
    ['a cluster beside what it extends', ['access', 'request', 'prod', '--extends', '7f3c'], 2],
    ['nothing to extend', ['access', 'extend', '7f3c'], 3],
    ['a time that is none', ['access', 'request', 'prod', '--for', 'a while'], 2],
    ['no cluster', ['access', 'request'], 2],
    ['a role that must be named among several', ['access', 'request', 'prod', '--no-input'], 2],
    ['two clusters', ['access', 'request', 'prod', '--cluster', 'prod2'], 2],
    ['a cluster that does not exist', ['access', 'request', 'prd', '--role', 'k8s-viewer'], 3],
    ['a role that does not exist', ['access', 'request', 'prod', '--role', 'k8s-viewr'], 3],
  ])('asks for nothing with %s', async (_, words, code) => {
    installation.state.roles.push(create(RoleSchema, { id: otherRoleId, name: 'k8s-admin' }));
    expect((await run(...words)).code).toBe(code);
    expect(installation.state.requests).toEqual([]);
  });

  it.each([
    ['an approval', AccessRequestStatus.APPROVED, 0],
    ['a denial', AccessRequestStatus.DENIED, 5],
    ['a request taken back', AccessRequestStatus.WITHDRAWN, 6],
  ])('waits for a decision, and ends by %s', async (_, status, code) => {
    const waiting = home.start(['access', 'request', 'prod', '--wait']);
    await expect.poll(() => installation.state.requests.length, { timeout: 10_000 }).toBe(1);
    const [request] = installation.state.requests;
    if (request) Object.assign(request, { status, reviewerName: 'admin@clustral.local', endReason: 'no' });
    expect((await waiting.finished()).code).toBe(code);
  });

  it('waits no longer than it is told, and the request stays', async () => {
    const { code, stdout, stderr } = await run('access', 'request', 'prod', '--wait', '--timeout', '1s');
    expect([code, stdout]).toEqual([7, '']);
    const [request] = installation.state.requests;
    expect(stderr).toBe(
      `Request ${request?.id} waits for a decision: clustral access approve ${request?.id}\n` +
        'error: nobody has decided the request yet\n  fix:  clustral access list --mine\n',
    );
    expect(request?.status).toBe(AccessRequestStatus.PENDING);
  });

  it('names the roles when one must be named and nobody can be asked', async () => {
    installation.state.roles.push(create(RoleSchema, { id: otherRoleId, name: 'k8s-admin\u001b[2J' }));
    expect((await run('access', 'request', 'prod')).stderr).toBe(
      "error: 'clustral access request' needs --role\n  fix:  --role ROLE, one of: k8s-viewer, k8s-admin\\u001b[2J\n",
    );
  });
});

describe('a grant', () => {
  it('is shown with the time that is left', async () => {
    installation.state.access = [
      create(AccessSchema, {
        clusterId,
        clusterName: 'prod',
        roleName: 'k8s-viewer',
        source: ClusterAccessSource.GRANT,
        // A minute more than an hour, so that a slow machine changes nothing.
        until: timestampFromDate(new Date(Date.now() + 3_660_000)),
      }),
    ];
    expect((await run('status')).stdout).toMatch(/^Clusters {6}prod, as k8s-viewer for 1h \(connected\)$/m);
    expect((await run('kube', 'ls')).stdout).toContain('\tprod\tk8s-viewer\tfor 1h\t-\n');
    expect((await run('kube', 'ls', '-o', 'wide')).stdout).toContain('\tgrant\t');
  });
});

describe('the list of requests', () => {
  it('shows who asks for what, newest first, and only what is asked for', async () => {
    installation.state.requests = [
      pending('aaaa0001'),
      exampleRequest({
        id: 'bbbb0001-0000-4000-8000-000000000001',
        status: AccessRequestStatus.DENIED,
        endReason: 'no',
      }),
    ];
    const all = await run('access', 'ls');
    expect(all.stdout.split('\n').map((line) => line.split('\t').slice(0, 5))).toEqual([
      ['ID', 'STATUS', 'REQUESTER', 'CLUSTER', 'ROLE'],
      ['aaaa0001-0000-4000-8000-000000000001', 'Pending', 'alice@example.com', 'prod', 'k8s-viewer'],
      ['bbbb0001-0000-4000-8000-000000000001', 'Denied', 'alice@example.com', 'prod', 'k8s-viewer'],
      [''],
    ]);
    expect((await run('access', 'list', '--status', 'pending')).stdout).not.toContain('Denied');
    expect((await run('access', 'list', '--to-decide', '-o', 'name')).stdout).toBe(
      'request/aaaa0001-0000-4000-8000-000000000001\n',
    );
    const json = JSON.parse((await run('access', 'list', '-o', 'json')).stdout) as { requests: { status: string }[] };
    expect(json.requests.map(({ status }) => status)).toEqual(['Pending', 'Denied']);
  });

  it('is of one cluster, of oneself, or in part, when that is asked for', async () => {
    const mine = { requesterId: installation.state.users[0]?.id ?? '', requesterName: 'dev@clustral.local' };
    installation.state.requests = [
      exampleRequest({ id: 'aaaa0001-0000-4000-8000-000000000001', ...mine }),
      pending('bbbb0001'),
      exampleRequest({ id: 'cccc0001-0000-4000-8000-000000000001', clusterId: otherRoleId }),
    ];
    expect((await run('access', 'ls', '--mine', '-o', 'name')).stdout).toBe(
      'request/aaaa0001-0000-4000-8000-000000000001\n',
    );
    expect((await run('access', 'ls', '--cluster', 'prod', '-o', 'name')).stdout.split('\n')).toHaveLength(3);
    const part = await run('access', 'ls', '--limit', '1', '--no-headers');
    expect(part.stdout.split('\n')).toHaveLength(2);
    expect(part.stderr).toBe('showing 1, there are more: --limit 10\n');
  });

  it('is empty with a word about how to begin', async () => {
    expect(await run('access', 'list')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'No requests match: clustral access request <cluster> makes one.\n',
    });
  });

  it('ID-14 obeys nothing that a reason says', async () => {
    installation.state.requests = [exampleRequest({ reason: '\u001b]52;c;aGk=\u0007\u001b[2J\u202e evil' })];
    const { stdout } = await run('access', 'list');
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('deciding', () => {
  it('shows what will be given before it gives it, and sends the revision that it showed', async () => {
    installation.state.requests = [pending('7f3c0001')];
    const { code, stdout, stderr } = await run('access', 'approve', '7f3c', '--for', '30m');
    expect(code, stderr).toBe(0);
    expect(stderr).toBe(
      [
        'Approving 7f3c0001-0000-4000-8000-000000000001:',
        '  who       alice@example.com',
        '  cluster   prod',
        '  role      k8s-viewer',
        '  groups    clustral:viewers',
        '  for       30m',
        '  reason    incident 4711',
        '',
      ].join('\n'),
    );
    expect(stdout).toContain('Approved: alice@example.com has k8s-viewer on prod until');
  });

  it('says that somebody else must approve it too, and what the server had shown when', async () => {
    const shownAt = timestampFromDate(new Date('2026-04-01T12:00:00Z'));
    const review = create(ReviewRulesSchema, { approvals: 2 });
    installation.state.requests = [exampleRequest({ id: '7f3c0001-0000-4000-8000-000000000001', review, shownAt })];
    const { code, stdout, stderr } = await run('access', 'approve', '7f3c');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('  agreed    0 of 2\n');
    expect(stdout).toContain('Pending: alice@example.com asks for k8s-viewer on prod for 2h (1 of 2 approvals)\n');
    expect(stderr).toContain('next: somebody else approves it too: clustral access approve 7f3c0001');
    expect(installation.state.requests[0]?.approvals).toMatchObject([{ shownAt }]);
  });

  it('explains that the role was changed meanwhile, with the new terms', async () => {
    const request = pending('7f3c0001');
    installation.state.requests = [request];
    installation.state.refuse = (method) => {
      // The role changes between what is shown and what is decided.
      if (method === 'ApproveAccessRequest')
        Object.assign(request, { currentRoleRevision: 2n, roleK8sGroups: ['system:masters'] });
    };
    const { code, stdout, stderr } = await run('access', 'approve', '7f3c0001');
    expect([code, stdout]).toEqual([6, '']);
    expect(stderr).toMatch(
      /groups {4}clustral:viewers\n[^]+Not approved\. The terms are now[^]+groups {4}system:masters\n/,
    );
    expect(stderr).toContain('warning: system:masters may do everything');
    expect(stderr).toContain('error: The role was changed meanwhile.   ROLE_CHANGED\n  fix:');
    expect(request.status).toBe(AccessRequestStatus.PENDING);
  });

  it('does not guess which request is meant', async () => {
    installation.state.requests = [pending('7f3c0001'), pending('7f3c0002')];
    const { code, stderr } = await run('access', 'approve', '7f3c');
    expect(code).toBe(2);
    expect(stderr).toContain("2 requests begin with '7f3c'");
    expect((await run('access', 'approve', '9999')).code).toBe(3);
    expect((await run('access', 'approve', '7f')).code).toBe(2);
    expect(installation.state.requests.every(({ status }) => status === AccessRequestStatus.PENDING)).toBe(true);
  });

  it.each([
    ['deny', AccessRequestStatus.PENDING, ['--reason', 'not now'], 'Denied'],
    ['revoke', AccessRequestStatus.APPROVED, ['--reason', 'enough'], 'Revoked'],
    ['withdraw', AccessRequestStatus.PENDING, [], 'Withdrawn'],
  ] as const)('%ss one', async (...[word, status, more, becomes]) => {
    installation.state.requests = [exampleRequest({ id: '7f3c0001-0000-4000-8000-000000000001', status })];
    const { code, stdout, stderr } = await run('access', word, '7f3c', ...more);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(becomes);
    expect((await run('access', word, '7f3c0001', ...more)).code).toBe(6);
  });
});

describe('giving back', () => {
  const held = (id: string, given: object = {}) =>
    exampleRequest({
      id: `${id}-0000-4000-8000-000000000001`,
      status: AccessRequestStatus.APPROVED,
      requesterId: installation.state.users[0]?.id ?? '',
      requesterName: 'dev@clustral.local',
      ...given,
    });

  it('needs no name while there is one access to give back', async () => {
    installation.state.requests = [held('7f3c0001')];
    expect((await run('access', 'give-back')).stdout).toContain('Revoked: dev@clustral.local does not have k8s-viewer');
    const none = await run('access', 'give-back');
    expect([none.code, none.stderr]).toEqual([
      3,
      'error: you have no access that was granted on request\n  fix:  clustral access list\n',
    ]);
  });

  it('takes the one that is named, when there are several', async () => {
    installation.state.requests = [held('7f3c0001'), held('8a000001')];
    const several = await run('access', 'give-back');
    expect(several.code).toBe(2);
    expect(several.stderr).toContain('name one: 7f3c0001-0000-4000-8000-000000000001 (k8s-viewer on prod), 8a000001');
    expect((await run('access', 'give-back', '8a00')).code).toBe(0);
    expect(installation.state.requests.map(({ status }) => status)).toEqual([
      AccessRequestStatus.APPROVED,
      AccessRequestStatus.REVOKED,
    ]);
  });

  it('is for what is one’s own', async () => {
    installation.state.requests = [held('7f3c0001', { requesterId: otherRoleId, requesterName: 'eve@example.com' })];
    const { code, stderr } = await run('access', 'give-back', '7f3c');
    expect(code).toBe(5);
    expect(stderr).toContain("that access is eve@example.com's, and only they give it back");
    expect(stderr).toContain('fix:  clustral access revoke 7f3c0001');
  });
});

describe('how requests for a role are decided', () => {
  const rules = ['--approvals', '2', '--reviewer-group', 'oncall', '--max-duration', '4h', '--ticket', 'OPS-#'];

  it('is said when it is made, and shown in the wide list', async () => {
    const { code, stderr } = await run('roles', 'create', 'ops', '--group', 'g', ...rules);
    expect(code, stderr).toBe(0);
    const { stdout } = await run('roles', 'list', '-o', 'wide');
    expect(stdout).toContain('2 approvals; oncall; at most 4h; OPS-#');
  });

  it('is changed flag by flag, and all of it is given up with one', async () => {
    const [me] = installation.state.users;
    await run('roles', 'create', 'ops', '--group', 'g', '--description', 'operators', ...rules);
    const edited = await run('roles', 'edit', 'ops', '--approvals', '3', '--reviewer', 'dev@clustral.local');
    expect([edited.code, edited.stdout]).toEqual([0, 'role/ops changed\n']);
    const role = () => installation.state.roles.find(({ name }) => name === 'ops');
    expect(role()).toMatchObject({
      description: 'operators',
      k8sGroups: ['g'],
      review: { approvals: 3, reviewerGroups: ['oncall'], reviewerIds: [me?.id], ticketForms: ['OPS-#'] },
    });
    expect((await run('roles', 'edit', 'ops', '--plain-review')).code).toBe(0);
    expect(role()?.review).toMatchObject({ approvals: 0, reviewerGroups: [], ticketForms: [], maxDuration: '' });
  });

  it.each([
    ['nothing', [], 'nothing is to be changed'],
    ['no number', ['--approvals', 'two'], '--approvals'],
    ['no time', ['--max-duration', 'a day'], '--max-duration'],
  ])('is not changed by %s', async (_, words, said) => {
    const { code, stderr } = await run('roles', 'edit', 'k8s-viewer', ...words);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });
});

/** What a signed-in `clustral` prints, as a process: answers, failures, hostile texts, secrets. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditEventSchema } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { clusterId, refusal } from '../testing/api.ts';
import { signedIn, type SignedIn } from '../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(() => me.reset());

describe('answers', () => {
  it.each([
    ['clusters list', 'NAME\tSTATUS\tKUBERNETES\tAGENT\tAGE\nprod\tConnected\tv1.33.1\t0.1.0\t3d\n'],
    ['cluster ls -o name', 'cluster/prod\n'],
    ['kube ls', 'CURRENT\tCLUSTER\tROLE\tACCESS\tCONTEXT\n\tprod\tk8s-viewer\tstanding\t-\n'],
    ['users list --no-headers', 'dev@clustral.local\tDev User\tclustral-user\t-\tenabled\n'],
    ['roles list', 'NAME\tGROUPS\tDESCRIPTION\nk8s-viewer\tclustral:viewers\t-\n'],
    [
      'audit',
      'TIME\tCODE\tUSER\tCLUSTER\tMESSAGE\n2026-04-01T08:00:00Z\tCPR001I\tdev@clustral.local\tprod\tGET /api/v1/pods\n',
    ],
    ['assignments add dev prod k8s-viewer', 'dev@clustral.local has k8s-viewer on prod\n'],
    ['roles create sre --group a --group b -o name', 'role/sre\n'],
    ['version --all', 'clustral 0.1.0\nserver   0.1.0\n'],
  ])('%s', async (line, stdout) => {
    expect(await me.run(line)).toEqual({ code: 0, stdout, stderr: '' });
  });

  it('carry one plural noun in JSON', async () => {
    const { stdout } = await me.run('clusters list -o json');
    expect(JSON.parse(stdout)).toMatchObject({
      clusters: [{ id: clusterId, name: 'prod', status: 'Connected', labels: { env: 'prod' } }],
      nextPageToken: '',
    });
  });

  it('of which there are more say so', async () => {
    me.installation.state.events = Array.from({ length: 5 }, (_, n) =>
      create(AuditEventSchema, { uid: `e${n}`, code: 'X' }),
    );
    expect(await me.run('audit --limit 2 --no-headers')).toMatchObject({
      code: 0,
      stderr: 'showing 2 of 5, there are more: --limit 20\n',
    });
  });

  it('show the bootstrap token once, on stdout, and the way on beside it', async () => {
    const { code, stdout, stderr } = await me.run('clusters register edge --label a=b');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^cluster id {8}[0-9a-f-]{36}\nbootstrap token {3}cbt1\.example\.token\n$/);
    expect(stderr).toContain('AGENT_CONTROL_PLANE_URL=https://localhost:5443');
    expect(stderr).not.toContain('cbt1.example.token');
  });

  it('see what the command before wrote: its log position goes along', async () => {
    await me.run('clusters register edge');
    await me.run('clusters list');
    expect(me.installation.state.calls.at(-1)).toMatchObject({ method: 'ListClusters', position: '4711' });
  });

  it('may be read only in part', async () => {
    me.installation.state.events = Array.from({ length: 3000 }, (_, n) =>
      create(AuditEventSchema, { uid: `e${n}`, message: 'x'.repeat(200) }),
    );
    const main = join(import.meta.dirname, '..', 'main.ts');
    const environment = { PATH: process.env['PATH'], HOME: me.home.path };
    const line = `"${process.execPath}" "${main}" audit --limit 3000 | head -n 1`;
    const { stdout, stderr } = await promisify(execFile)('/bin/sh', ['-c', line], { env: environment });
    expect([stdout, stderr]).toEqual(['TIME\tCODE\tUSER\tCLUSTER\tMESSAGE\n', '']);
  });
});

describe('failures', () => {
  it.each([
    ['clusters list', 'FORBIDDEN', 5, 'Ask an administrator of Clustral to do it.'],
    ['kube login prod', 'NO_ROLE_ASSIGNMENT', 5, 'Ask an administrator for a role'],
    ['roles create a --group b', 'DUPLICATE_ROLE_NAME', 6, 'Choose another name.'],
    ['status', 'STORE_UNAVAILABLE', 7, 'Try again'],
    ['kube login prod', 'CREDENTIAL_REVOKED', 4, "Run 'clustral kube login' again."],
  ] as const)("%s answers %s with the server's sentence and exit code %i", async (...[line, code, exitCode, fix]) => {
    me.installation.state.refuse = () => {
      throw refusal(code, 'The sentence of the server.');
    };
    const { code: got, stdout, stderr } = await me.run(line);
    expect([got, stdout]).toEqual([exitCode, '']);
    expect(stderr).toContain(`error: The sentence of the server.   ${code}\n  fix:  ${fix}`);
    expect(stderr).toContain('  ref:  c0ffee\n');
  });

  it.each([
    ['kube login prdo', 3, "there is no cluster 'prdo'", "did you mean 'prod'?"],
    [
      'assignments add nobody prod k8s-viewer',
      3,
      "there is no person 'nobody'",
      'people are known once they have signed in: clustral users list',
    ],
    [
      'assignments remove dev prod',
      3,
      'dev@clustral.local has no standing role on prod',
      'clustral assignments list dev@clustral.local',
    ],
    [
      'roles create x',
      2,
      "'clustral roles create' needs at least one --group",
      'clustral roles create x --group GROUP',
    ],
    ['clusters list --timeout soon', 2, 'is not a duration', 'Write durations'],
    ['audit --from yesterday', 2, '--from must be an instant in ISO 8601', '--from 2026-04-01T08:00:00Z'],
    ['whoami --profile ../../x', 2, "'../../x' cannot be the name of a profile", 'use lower-case letters'],
    ['whoami -o xml', 2, "unknown output format 'xml'", 'use one of: table'],
    ['clusters list -o xml', 2, "unknown output format 'xml'", 'use one of: table'],
    ['kube bogus', 2, "unknown command 'kube bogus'", 'use one of: kube list'],
  ])('%s ends with %i', async (...[line, exitCode, what, fix]) => {
    const { code, stdout, stderr } = await me.run(line);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toContain(what);
    expect(stderr).toContain(`fix:  ${fix}`);
  });

  it('are JSON when JSON is read', async () => {
    const { code, stdout, stderr } = await me.run('kube login nope -o json');
    expect([code, stdout]).toEqual([3, '']);
    expect(JSON.parse(stderr)).toEqual({
      error: { message: "there is no cluster 'nope'", exitCode: 3, fix: 'clustral clusters list' },
    });
  });
});

describe('what a server or a person wrote (ID-14)', () => {
  const hostile = 'evil\u001b]52;c;aGk=\u0007\u001b[2J\r\u009b31m\u202egpj.exe\u2066';
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

  it.each(['wide', 'json'])('is never obeyed by a terminal: -o %s', async (format) => {
    const { state } = me.installation;
    for (const one of state.clusters)
      Object.assign(one, {
        name: hostile,
        agentVersion: hostile,
        description: hostile,
        labels: { [hostile]: hostile },
      });
    for (const one of state.users)
      Object.assign(one, { email: hostile, name: hostile, roles: [`clustral-${hostile}`] });
    for (const one of state.roles) Object.assign(one, { name: hostile, k8sGroups: [hostile], description: hostile });
    for (const one of state.events)
      Object.assign(one, { user: hostile, message: hostile, code: hostile, uid: hostile });
    for (const one of state.access) Object.assign(one, { clusterName: hostile, roleName: hostile });
    const lines = ['clusters list', 'users list', 'roles list', 'audit', 'kube list', 'status'];
    const finished = await Promise.all(lines.map((line) => me.home.run([...line.split(' '), '-o', format])));
    for (const { code, stdout, stderr } of finished) {
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).not.toMatch(obeyed);
      expect(stdout).toMatch(/evil\\(u001b|e)/);
    }
  });

  it.each(['clusters list', 'clusters list -o json', 'clusters list --debug', 'kube credential --cluster prod'])(
    'is never obeyed in an error: %s',
    async (line) => {
      me.installation.state.refuse = () => {
        throw refusal('FORBIDDEN', hostile);
      };
      const { code, stdout, stderr } = await me.run(line);
      expect([code, stdout]).toEqual([5, '']);
      expect(stderr).not.toMatch(obeyed);
      expect(stderr).toContain('evil\\u001b');
    },
  );
});

describe('secrets (ID-16)', () => {
  it.each(['status --debug -o json', 'kube login prod --debug', 'whoami -o json'])(
    'are not printed: %s',
    async (line) => {
      const { stdout, stderr } = await me.run(line, { CLUSTRAL_DEBUG: '1' });
      const { accessToken, refreshToken = 'none' } = me.account();
      for (const secret of [accessToken, refreshToken, accessToken.split('.')[2] ?? '', 'token-of-'])
        expect(stdout + stderr).not.toContain(secret);
      expect(stdout + stderr).not.toBe('');
    },
  );
});

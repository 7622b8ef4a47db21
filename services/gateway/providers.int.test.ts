import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askerOf, eventually, startTestGateway, type Ask, type TestGateway } from './testing/gateway.ts';
import { startTestProvider, type TestProvider } from './testing/identity-provider.ts';

let other: TestProvider;
let gateway: TestGateway;
let ask: Ask;

beforeAll(async () => {
  other = await startTestProvider();
  gateway = await startTestGateway({
    OIDC_FURTHER_AUTHORITIES: other.authority,
    OIDC_AUDIENCE: 'clustral-control-plane, api://clustral',
    OIDC_ROLES_CLAIM: 'realm_access.roles,/resource_access/clustral.web/roles,roles',
    OIDC_GROUPS_CLAIM: 'groups,https://corp.example/teams',
    OIDC_ROLE_MAPPING: '{"Platform Admins":"clustral-admin","8f1e-auditors":"clustral-auditor"}',
  });
  ask = askerOf(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await other.stop();
});

const told = async (token: Promise<string>): Promise<Record<string, unknown>> => {
  const answer = await ask('/api/v1/clusters', await token);
  expect(answer.status, await answer.text()).toBe(200);
  return decodeJwt(gateway.controlPlane.header('x-internal-token')[0] ?? '');
};

describe('several issuers', () => {
  it('each have their own people, told apart by issuer (ID-08)', async () => {
    await eventually(async () => (await ask('/api/v1/clusters', await other.token())).status === 200);
    expect(await told(gateway.provider.token())).toMatchObject({
      sub: 'alice-subject',
      issuer: gateway.provider.authority,
    });
    expect(await told(other.token())).toMatchObject({ sub: 'alice-subject', issuer: other.authority });
  });

  it.each<[string, () => Promise<string>]>([
    ['that names one and is signed by the other', () => gateway.provider.token({ iss: other.authority })],
    ['that names the other way round', () => other.token({ iss: gateway.provider.authority })],
    ['that names none of them', () => gateway.provider.token({ iss: 'https://evil.example' })],
    ['that names one with a slash behind it', () => gateway.provider.token({ iss: `${gateway.provider.authority}/` })],
    ['that names no issuer', () => gateway.provider.token({ iss: undefined })],
    ['that names a list', () => gateway.provider.token({ iss: [gateway.provider.authority] })],
  ])('ID-06 refuse a token %s', async (_what, token) => {
    expect((await ask('/api/v1/clusters', await token())).status).toBe(401);
  });

  it('F-33 go on without one that is down', async () => {
    other.misbehave = (_request, response) => void response.writeHead(500).end();
    expect((await ask('/api/v1/clusters', await gateway.provider.token())).status).toBe(200);
    expect((await ask('/healthz/ready')).status).toBe(200);
    other.misbehave = undefined;
  });
});

describe('several audiences', () => {
  it.each([['api://clustral'], [['account', 'api://clustral']], ['clustral-control-plane']])('take %j', async (aud) => {
    await told(gateway.provider.token({ aud }));
  });

  it.each([['account'], [[]], ['api://clustral/'], ['clustral-control-plane, api://clustral']])(
    'ID-02 do not take %j',
    async (aud) => {
      expect((await ask('/api/v1/clusters', await gateway.provider.token({ aud }))).status).toBe(401);
    },
  );
});

describe('roles and groups', () => {
  it('are collected from every configured claim, each once', async () => {
    const claims = {
      realm_access: { roles: ['clustral-user', 'offline_access'] },
      resource_access: { 'clustral.web': { roles: ['clustral-user'] } },
      roles: ['clustral-auditor'],
      groups: ['team-a'],
      'https://corp.example/teams': 'team-b',
    };
    expect(await told(gateway.provider.token(claims))).toMatchObject({
      roles: ['clustral-user', 'clustral-auditor'],
      groups: ['team-a', 'team-b'],
    });
  });

  it('D10 of the provider become ours as configured', async () => {
    const claims = { realm_access: undefined, roles: ['8f1e-auditors'], groups: ['Platform Admins'] };
    expect(await told(gateway.provider.token(claims))).toMatchObject({ roles: ['clustral-auditor', 'clustral-admin'] });
    const others = { realm_access: undefined, groups: ['platform admins', 'clustral-admin'] };
    expect(await told(gateway.provider.token(others))).toMatchObject({ roles: [] });
  });

  it.each([
    [{ groups: undefined, hasgroups: true }],
    [
      {
        groups: undefined,
        _claim_names: { groups: 'src1' },
        _claim_sources: { src1: { endpoint: 'http://127.0.0.1:1' } },
      },
    ],
  ])('that Entra ID left out because they are too many are refused with what to do: %j', async (claims) => {
    const answer = await ask('/api/v1/clusters', await gateway.provider.token(claims));
    expect(answer.status).toBe(403);
    const { code, detail } = (await answer.json()) as Record<string, string>;
    expect(code).toBe('FORBIDDEN');
    expect(detail).toContain("left the claim 'groups' out of your token because it has too many entries");
    expect(detail).toContain('Groups assigned to the application');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventCatalogue, type FactType } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import type { ProxyFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { audit, auditCollection, extentCollection, extentId, type AuditDocument } from './audit.ts';
import { namesCollection } from './audit/names.ts';
import { heldAfter, Story } from './testing/story.ts';

const samples = goldenSamples();
const rowsOf = async (facts: readonly Recorded[]): Promise<readonly AuditDocument[]> =>
  (await heldAfter([audit], facts)).all(auditCollection);

const golden = await rowsOf(samples.map(({ fact }) => fact));
const rowOf = (name: string): AuditDocument => {
  const sample = samples.find((one) => one.name === `${name}.v1.json`)?.fact;
  const row = golden.find(
    ({ uid, _id }) => uid === sample?.id || _id === (sample?.data as { requestId?: string } | undefined)?.requestId,
  );
  if (!row) throw new Error(`no row of ${name}`);
  return row;
};

const until = '2027-12-24T08:00:00.000Z';

describe('the audit row of', () => {
  it.each<[string, string, string]>([
    ['control_plane.took_over', 'control-plane', 'A control plane took over as epoch 1'],
    ['user.synced', 'dev@corp.example', 'dev@corp.example signed in; what the identity provider says was taken over'],
    ['cluster.registered', 'ada@corp.example', "ada@corp.example registered cluster 'production'"],
    [
      'cluster.bootstrap_token_issued',
      'ada@corp.example',
      "ada@corp.example issued a bootstrap token for the agent of cluster 'production', good until 2026-11-25T08:00:00.000Z",
    ],
    [
      'cluster.agent_enrolled',
      'agent of production',
      `The agent of cluster 'production' enrolled with a certificate good until ${until}`,
    ],
    [
      'cluster.connected',
      'agent of production',
      "The agent of cluster 'production' connected: agent 0.1.0, Kubernetes v1.35.0",
    ],
    ['cluster.updated', 'ada@corp.example', "ada@corp.example changed cluster 'prod', which was called 'production'"],
    ['role.created', 'ada@corp.example', "ada@corp.example created role 'viewer'"],
    ['role.updated', 'ada@corp.example', "ada@corp.example changed role 'k8s-viewer'"],
    [
      'user.role_assigned',
      'ada@corp.example',
      "ada@corp.example gave dev@corp.example the role 'k8s-viewer' on cluster 'prod'",
    ],
    [
      'credential.issued',
      'dev@corp.example',
      "A credential was issued to dev@corp.example on cluster 'prod', good until 2026-11-24T16:12:00.000Z",
    ],
    [
      'proxy.request',
      'dev@corp.example',
      "dev@corp.example: list pods in default on cluster 'prod' gave 200 after 18 ms",
    ],
    [
      'proxy.request.repeated',
      'dev@corp.example',
      "dev@corp.example: list pods in default on cluster 'prod' gave 200 after 18 ms (3 times until 2026-11-24T08:20:28.000Z)",
    ],
    [
      'proxy.request.ended',
      'dev@corp.example',
      "dev@corp.example: create pods/web-0/exec in default on cluster 'prod' gave 403 after 7 ms",
    ],
    [
      'proxy.request.outcome_unknown',
      'dev@corp.example',
      "dev@corp.example: delete pods/web-1 in default on cluster 'prod' has an unknown outcome",
    ],
    [
      'proxy.access_denied',
      'dev@corp.example',
      "dev@corp.example was refused GET /api/v1/secrets on cluster 'prod': NO_ROLE_ASSIGNMENT (403)",
    ],
    [
      'proxy.gap',
      'control-plane',
      "Records of requests to cluster 'prod' may be missing from 2026-11-24T08:14:00.000Z to 2026-11-24T08:15:00.000Z: the control plane stopped without saying so",
    ],
    ['proxy.day_closed', 'control-plane', "The 6 records of cluster 'prod' of 20261124 were closed"],
    [
      'access_request.created',
      'dev@corp.example',
      "dev@corp.example asked for the role 'k8s-viewer' on cluster 'staging' for 4h: Incident 4711: queue is stuck",
    ],
    [
      'access_request.approved',
      'ada@corp.example',
      "ada@corp.example granted dev@corp.example the role 'k8s-viewer' on cluster 'staging' until 2026-11-24T10:21:00.000Z",
    ],
    [
      'access_request.denied',
      'ada@corp.example',
      "ada@corp.example denied dev@corp.example the role 'k8s-viewer' on cluster 'staging': Use the runbook",
    ],
    [
      'access_request.revoked',
      'ada@corp.example',
      "ada@corp.example ended the access of dev@corp.example with role 'k8s-viewer' on cluster 'staging': Incident is over",
    ],
    [
      'access_request.expired',
      'control-plane',
      "The access request of dev@corp.example for role 'k8s-viewer' on cluster 'staging' expired undecided at 2026-11-24T09:27:00.000Z",
    ],
    [
      'access_request.withdrawn',
      'dev@corp.example',
      "The access request of dev@corp.example for role 'k8s-viewer' on cluster 'staging' was withdrawn",
    ],
    [
      'credential.revoked',
      'dev@corp.example',
      "dev@corp.example revoked a credential of dev@corp.example on cluster 'prod': revoked by its owner",
    ],
    [
      'credential.revoke_denied',
      'dev@corp.example',
      'dev@corp.example was refused to revoke credential e5f4d3c2-b1a0-4f9e-8d7c-6b5a4f3e2d12: CREDENTIAL_NOT_FOUND',
    ],
    [
      'credential.issue_failed',
      'dev@corp.example',
      "No credential was issued to dev@corp.example on cluster '00000000-0000-4000-8000-000000000000': CLUSTER_NOT_FOUND",
    ],
    [
      'user.role_unassigned',
      'ada@corp.example',
      "ada@corp.example took the role 'k8s-viewer' on cluster 'prod' from dev@corp.example",
    ],
    ['user.disabled', 'ada@corp.example', 'ada@corp.example disabled dev@corp.example'],
    ['user.enabled', 'ada@corp.example', 'ada@corp.example enabled dev@corp.example'],
    [
      'cluster.agent_renewed',
      'agent of prod',
      `The agent of cluster 'prod' renewed its certificate, now good until ${until}`,
    ],
    ['cluster.agent_renewed.token', 'agent of prod', "The agent of cluster 'prod' renewed its token"],
    ['cluster.disconnected', 'control-plane', "The agent of cluster 'prod' is disconnected: no connection for 45 s"],
    ['cluster.agent_revoked', 'ada@corp.example', "ada@corp.example revoked the agent of cluster 'prod'"],
    [
      'agent.auth_failed',
      'agent of prod',
      "An agent of cluster 'prod' was refused TunnelService/Control (3 times): AGENT_REVOKED",
    ],
    ['cluster.deleted', 'ada@corp.example', "ada@corp.example deleted cluster 'prod'"],
    ['role.deleted', 'ada@corp.example', "ada@corp.example deleted role 'k8s-viewer'"],
  ])('%s says who and what', (name, user, message) => {
    expect(rowOf(name)).toMatchObject({ user, message });
  });

  it('every fact has the code, category and time of its type', () => {
    for (const row of golden) {
      const { code, category } = eventCatalogue[row.event as FactType];
      expect(row).toMatchObject({ code, category, correlationId: expect.stringMatching(/^c0ffee/) });
      expect(row.receivedAt).toBeGreaterThanOrEqual(row.time);
    }
    expect(golden.map(({ event }) => event)).toEqual(expect.arrayContaining(Object.keys(eventCatalogue)));
  });

  it.each<[string, Partial<AuditDocument>]>([
    ['proxy.request', { severity: 'Info', success: true, error: '', day: '20261124', phase: 'ended' }],
    ['proxy.request.ended', { severity: 'Warning', success: false, error: 'HTTP 403' }],
    ['proxy.request.outcome_unknown', { severity: 'Warning', success: false, error: 'outcome unknown' }],
    ['proxy.access_denied', { severity: 'Warning', success: false, error: 'NO_ROLE_ASSIGNMENT' }],
    ['credential.issue_failed', { severity: 'Warning', success: false, error: 'CLUSTER_NOT_FOUND' }],
    ['access_request.denied', { severity: 'Warning', success: true, error: '' }],
    ['proxy.day_closed', { severity: 'Info', success: true, day: null }],
    ['user.disabled', { userId: 'd9e8f7a6-5b4c-4d3e-8f2a-1b0c9d8e7f61', resourceType: 'user' }],
    ['cluster.connected', { userId: null, resourceType: 'cluster', clusterName: 'production' }],
    ['role.deleted', { clusterId: null, clusterName: '', resourceName: 'k8s-viewer' }],
    ['user.role_unassigned', { causationId: '5e000000-0000-4000-8000-000000000001' }],
  ])('%s says how it went and what it is about', (name, fields) => {
    expect(rowOf(name)).toMatchObject(fields);
  });

  it('a request names the access request that allowed it', () => {
    const [request, allowed] = [rowOf('access_request.created'), rowOf('proxy.request.outcome_unknown')];
    expect(request.accessRequestId).toBe(request.resourceId);
    expect(allowed.accessRequestId).toBe(request.resourceId);
    expect(rowOf('proxy.request').accessRequestId).toBeNull();
  });

  it('nothing shows what opens or proves something', () => {
    const text = JSON.stringify(golden);
    for (const secret of ['bm9uY2Ut', '1a1a1a1a', '9f9f9f9f', 'BEGIN CERTIFICATE', 'aaaaaaaa', 'bbbbbbbb']) {
      expect(text).not.toContain(secret);
    }
  });
});

const clusterId = 'cluster-1' as ClusterId;
const userId = 'user-1' as UserId;
const roleId = 'role-1' as RoleId;
type Request = Extract<ProxyFact, { type: 'proxy.request' }>;
const outcome = {
  status: 200,
  bytesSent: 1,
  bytesReceived: 1,
  durationMs: 5,
  end: 'completed',
  errorCode: null,
} as const;
const request = (requestId: string, rest: object = { phase: 'ended', outcome }): Request => ({
  type: 'proxy.request',
  data: {
    requestId,
    clusterId,
    userId,
    userRevision: 0,
    roleId,
    roleRevision: 0,
    accessRequestId: null,
    credentialId: 'k' as CredentialId,
    request: {
      method: 'GET',
      path: '/version',
      verb: 'get',
      group: null,
      version: null,
      resource: null,
      subresource: null,
      namespace: null,
      name: null,
      recognised: false,
    },
    strict: true,
    startedAt: '2026-11-24T07:59:00Z',
    ...rest,
  } as Request['data'],
});
const role = (type: 'role.created' | 'role.updated', name: string) =>
  ({ type, data: { roleId, name, description: '', k8sGroups: ['g'] } }) as const;
const day = 'proxy-cluster-1-20261124';

describe('a proxied request in the audit', () => {
  it('is one row, whose uid is the id of its first fact and whose outcome is that of its end', async () => {
    const story = new Story().tell(day, request('r', { phase: 'started' })).tell(day, request('r'));
    const [started, ended] = story.facts;
    const rows = await rowsOf(story.facts);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      uid: started?.id,
      position: Number(started?.position),
      receivedAt: started?.recordedAt.getTime(),
      time: Date.parse('2026-11-24T07:59:00Z'),
      phase: 'ended',
      metadata: { status: 200, durationMs: 5 },
    });
    expect(rows[0]?.uid).not.toBe(ended?.id);
  });

  it('is told as begun while it is open', async () => {
    const [row] = await rowsOf(new Story().tell(day, request('r', { phase: 'started' })).facts);
    expect(row).toMatchObject({
      phase: 'started',
      severity: 'Info',
      message: "user-1: get /version on cluster 'cluster-1' began",
    });
  });

  it('is two rows when there were two requests with one correlation id', async () => {
    const same = { $correlationId: 'same' };
    const rows = await rowsOf(new Story().tell(day, request('a'), same).tell(day, request('b'), same).facts);
    expect(rows.map(({ _id, correlationId }) => [_id, correlationId])).toEqual([
      ['a', 'same'],
      ['b', 'same'],
    ]);
  });

  it.each([
    [
      { ...outcome, status: 399 },
      { severity: 'Info', success: true, error: '' },
    ],
    [
      { ...outcome, status: 400 },
      { severity: 'Warning', success: false, error: 'HTTP 400' },
    ],
    [
      { ...outcome, status: 200, end: 'client_closed' },
      { severity: 'Info', success: true, error: '' },
    ],
    [
      { ...outcome, status: null, end: 'timeout', errorCode: 'TUNNEL_TIMEOUT' },
      { severity: 'Warning', success: false, error: 'TUNNEL_TIMEOUT' },
    ],
    [
      { ...outcome, status: 200, end: 'agent_lost', errorCode: 'TUNNEL_ERROR' },
      { severity: 'Warning', success: false, error: 'TUNNEL_ERROR' },
    ],
  ])('with outcome %o is %o', async (ending, shown) => {
    const [row] = await rowsOf(new Story().tell(day, request('r', { phase: 'ended', outcome: ending })).facts);
    expect(row).toMatchObject(shown);
  });

  it('keeps its end whatever comes after it', async () => {
    const story = new Story().tell(day, request('r', { phase: 'started' })).tell(day, request('r'));
    const late = story
      .tell(day, request('r', { phase: 'outcome_unknown' }))
      .tell(day, request('r', { phase: 'started' }));
    expect((await rowsOf(late.facts))[0]).toMatchObject({ phase: 'ended', success: true });
  });

  it('shows the names at the revisions that the decision used', async () => {
    const story = new Story()
      .tell('role-role-1', role('role.created', 'looker'))
      .tell('role-role-1', role('role.updated', 'destroyer'))
      .tell(day, request('r'))
      .tell(day, { ...request('s'), data: { ...request('s').data, roleRevision: 1 } });
    const rows = await rowsOf(story.facts);
    expect(rows.slice(-2).map(({ metadata }) => metadata['roleName'])).toEqual(['looker', 'destroyer']);
  });

  it('that was refused without a cluster says how often', async () => {
    const unknown = 'proxy-unknown-20261124';
    const denied = {
      type: 'proxy.access_denied',
      data: {
        requestId: 'r',
        clusterId: null,
        userId: null,
        credentialId: null,
        errorCode: 'INVALID_TOKEN',
        status: 401,
        method: 'GET',
        path: '/api',
        count: 17,
      },
    } as const;
    const [row] = await rowsOf(new Story().tell(unknown, denied).facts);
    expect(row).toMatchObject({
      day: '20261124',
      clusterId: null,
      message: 'Somebody was refused GET /api (17 times): INVALID_TOKEN (401)',
    });
  });
});

describe('the audit', () => {
  it('marks a void fact and hides nothing; its names are not taken over', async () => {
    const story = new Story().tell('lease-control_plane', {
      type: 'control_plane.took_over',
      data: { epoch: 2, holder: 'h' },
    });
    story.epoch = 2;
    story.tell('role-role-1', role('role.created', 'looker'));
    story.epoch = 1;
    story.tell('role-role-1', role('role.updated', 'destroyer'));
    story.epoch = 2;
    story.tell('role-role-1', { type: 'role.deleted', data: { roleId, name: 'looker' } });
    const held = await heldAfter([audit], story.facts);
    expect(held.all(auditCollection).map(({ event, staleEpoch }) => [event, staleEpoch])).toEqual([
      ['control_plane.took_over', false],
      ['role.created', false],
      ['role.updated', true],
      ['role.deleted', false],
    ]);
    expect(await held.get(namesCollection, 'role:role-1')).toMatchObject({ names: [{ revision: 0, name: 'looker' }] });
  });

  it('is complete from the first fact of the log on', async () => {
    const { facts } = new Story().tell(day, request('a')).tell(day, request('b'));
    const held = await heldAfter([audit], facts);
    expect(await held.get(extentCollection, extentId)).toMatchObject({
      firstAt: facts[0]?.recordedAt.getTime(),
      droppedBefore: null,
    });
  });

  it('is the same however often facts are delivered again', async () => {
    const facts = samples.map(({ fact }) => fact);
    const clean = (await heldAfter([audit], facts)).writes;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(facts.length - 1), { maxLength: 30 }), async (again) => {
        // Each fact in order, and after some of them any that came before once more.
        const delivered = facts.flatMap((fact, index) => [
          fact,
          ...again.filter((one) => one <= index && (one + index) % 3 === 0).map((one) => facts[one] as Recorded),
        ]);
        expect((await heldAfter([audit], delivered)).writes).toEqual(clean);
      }),
      { numRuns: 25 },
    );
  });
});

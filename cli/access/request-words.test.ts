import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import {
  AccessApprovalSchema,
  AccessRequestSchema,
  AccessRequestStatus,
  type AccessRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { ReviewRulesSchema } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { CliError, exitCodes } from '../failure.ts';
import { table } from '../table.ts';
import { matching } from './find-request.ts';
import { columnsFor, sentence, shortestOf, statusNamed, termsOf, warningsOf } from './request-words.ts';

const noon = Date.parse('2026-04-01T12:00:00Z');
const at = (minutes: number) => timestampFromDate(new Date(noon + minutes * 60_000));
const request = (given: Partial<Omit<AccessRequest, '$typeName'>> = {}): AccessRequest =>
  create(AccessRequestSchema, {
    id: '7f3c1a2b-0000-4000-8000-000000000001',
    status: AccessRequestStatus.PENDING,
    requesterName: 'alice@example.com',
    clusterName: 'prod',
    roleName: 'k8s-admin',
    roleRevision: 1n,
    currentRoleRevision: 1n,
    roleK8sGroups: ['system:masters'],
    reason: 'incident 4711',
    duration: '2h',
    createdAt: at(-4),
    expiresAt: at(56),
    ...given,
  });
const granted = request({
  id: '8a000000-0000-4000-8000-000000000002',
  status: AccessRequestStatus.APPROVED,
  reviewerName: 'bob@example.com',
  grantExpiresAt: at(90),
});
const denied = request({
  id: '9b000000-0000-4000-8000-000000000003',
  status: AccessRequestStatus.DENIED,
  createdAt: at(-180),
  endReason: 'not during the freeze',
});
const all = [request(), granted, denied];

function refusalOf(act: () => unknown): CliError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof CliError) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
}

describe('the list of requests', () => {
  const columns = columnsFor({ now: noon, shortest: 8 }).filter(({ wide }) => !wide);
  const form = { columns, heads: true, color: false, width: 120 };

  it('is aligned on a terminal, with short ids and the time that is left', async () => {
    expect(await table(all, { ...form, aligned: true })).toBe(
      [
        'ID         STATUS     REQUESTER           CLUSTER   ROLE        FOR   ASKED   UNTIL      REASON',
        '7f3c1a2b   Pending    alice@example.com   prod      k8s-admin   2h    4m      in 56m     incident 4711',
        '8a000000   Approved   alice@example.com   prod      k8s-admin   2h    4m      in 1h30m   incident 4711',
        '9b000000   Denied     alice@example.com   prod      k8s-admin   2h    3h      -          not during the freeze',
        '',
      ].join('\n'),
    );
  });

  it('has tabs and instants for those who ask for all of it', async () => {
    const wide = columnsFor({ now: noon, shortest: 36 });
    const lines = await table(all, { ...form, columns: wide, aligned: false });
    const [, pending, approved] = lines.split('\n');
    expect(pending?.split('\t').slice(-6)).toEqual([
      'system:masters',
      '0/1',
      '-',
      '2026-04-01T11:56:00Z',
      '2026-04-01T12:56:00Z',
      'incident 4711',
    ]);
    expect(approved?.split('\t')).toContain('bob@example.com');
    expect(approved).toMatch(/^8a000000-0000-4000-8000-000000000002\t/);
  });

  it('shows as many characters of an id as it takes to tell them apart', () => {
    expect(shortestOf([])).toBe(8);
    expect(shortestOf(['7f3c1a2b-0000', '9b000000-0000'])).toBe(8);
    expect(shortestOf(['7f3c1a2b-0001', '9b000000-0000', '7f3c1a2b-0002'])).toBe(13);
  });
});

describe('a status', () => {
  it.each(['Pending', 'pending', 'PENDING'])('may be named %s', (text) =>
    expect(statusNamed(text)).toBe(AccessRequestStatus.PENDING),
  );
  it.each([
    ['pendign', "did you mean 'Pending'?"],
    ['open', 'use one of: Pending, Approved, Denied, Revoked, Expired, Withdrawn'],
    ['unknown', 'use one of: Pending, Approved, Denied, Revoked, Expired, Withdrawn'],
  ])('cannot be %s', (text, fix) =>
    expect(refusalOf(() => statusNamed(text))).toMatchObject({ exitCode: exitCodes.usage, fix }),
  );
});

describe('the terms that a reviewer sees', () => {
  it('are who, where, what it gives, how long and why, with nothing that a terminal obeys (ID-14)', () => {
    expect(termsOf(request({ reason: 'a\u001b[2Jb' }), '30m')).toEqual([
      '  who       alice@example.com',
      '  cluster   prod',
      '  role      k8s-admin',
      '  groups    system:masters',
      '  for       30m',
      '  reason    a\\u001b[2Jb',
    ]);
    expect(termsOf(request())).toContain('  for       2h');
    expect(termsOf(request({ roleK8sGroups: [] }))).toContain('  groups    none: the role is gone');
  });

  it('say from when on, what it prolongs, and who has approved it of how many', () => {
    const review = create(ReviewRulesSchema, { approvals: 2 });
    const terms = termsOf(
      request({
        startsAt: at(60),
        extends: granted.id,
        review,
        approvals: [
          create(AccessApprovalSchema, { reviewerName: 'olga@example.com\u001b[2J', roleRevision: 1n }),
          create(AccessApprovalSchema, { reviewerName: 'of the role as it was', roleRevision: 0n }),
        ],
      }),
    );
    expect(terms.slice(5)).toEqual([
      '  from      2026-04-01T13:00:00Z',
      `  extends   ${granted.id}`,
      '  reason    incident 4711',
      '  agreed    1 of 2: olga@example.com\\u001b[2J',
    ]);
    expect(termsOf(request({ review })).at(-1)).toBe('  agreed    0 of 2');
  });

  it('come with a warning where it is easily overlooked', () => {
    expect(warningsOf(request({ roleK8sGroups: ['viewers'] }))).toEqual([]);
    expect(warningsOf(request({ currentRoleRevision: 2n }))).toEqual([
      expect.stringContaining('system:masters'),
      expect.stringContaining('changed since it was asked for'),
    ]);
  });
});

describe('a request in a sentence', () => {
  it.each([
    [request(), 'Pending: alice@example.com asks for k8s-admin on prod for 2h'],
    [granted, 'Approved: alice@example.com has k8s-admin on prod until 2026-04-01T13:30:00Z'],
    [
      request({
        startsAt: at(60),
        approvals: [create(AccessApprovalSchema, { roleRevision: 1n })],
        review: create(ReviewRulesSchema, { approvals: 2 }),
      }),
      'Pending: alice@example.com asks for k8s-admin on prod for 2h from 2026-04-01T13:00:00Z (1 of 2 approvals)',
    ],
    [denied, 'Denied: alice@example.com does not have k8s-admin on prod by it'],
  ])('begins with its id', (one, rest) => expect(sentence(one)).toBe(`${one.id}   ${rest}`));
});

describe('the beginning of an id', () => {
  it('means the one request that has it, in either case', () => {
    expect(matching('8A00', all)).toBe(granted);
    expect(matching('8a000000-0000', all)).toBe(granted);
    expect(matching('1234', all)).toBeUndefined();
  });

  it('that several have names them, and takes none', () => {
    const twin = request({ id: '7f3c9999-0000-4000-8000-000000000009', requesterName: 'eve\u001b[2J' });
    expect(refusalOf(() => matching('7f3c', [...all, twin]))).toMatchObject({
      exitCode: exitCodes.usage,
      message: "2 requests begin with '7f3c'",
      fix: 'name more of it: 7f3c1a2b (Pending, alice@example.com on prod), 7f3c9999 (Pending, eve\\u001b[2J on prod)',
    });
  });
});

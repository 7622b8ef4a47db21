import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { lostAcknowledgements, remember, violationsOf } from './checker.ts';
import type { Answer, Attempt, CommandRecord } from './history.ts';

const created = (description = 'first'): Answer => ({
  status: 201,
  code: undefined,
  comparable: `{"id":"r1","description":"${description}"}`,
  position: 20n,
});
const refused = (status: number, code: string): Answer => ({ status, code, comparable: code, position: undefined });

const attempt = (answer: Answer | undefined, tookMs = 10): Attempt => ({
  correlationId: 'c',
  startedAt: 0,
  endedAt: tookMs,
  answer,
  wasSent: true,
});

const command = (attempts: readonly Attempt[], changes: Partial<CommandRecord> = {}): CommandRecord => ({
  method: 'CreateRole',
  key: 'k1',
  factKey: 'hash of k1',
  expected: [{ type: 'role.created', data: { name: 'ops' } }],
  allowedRefusals: [],
  isShared: false,
  attempts: [...attempts],
  ...changes,
});

type Told = { readonly position: bigint } & Partial<Omit<Recorded, 'metadata'>> & {
    readonly epoch?: number;
    readonly key?: string;
  };

function fact({ position, epoch = 1, key, ...rest }: Told): Recorded {
  return {
    id: `id ${position}`,
    type: 'role.created',
    data: { name: 'ops' },
    stream: 'role-1',
    revision: 0,
    recordedAt: new Date(0),
    ...rest,
    position,
    metadata: {
      schemaVersion: 1,
      actor: { kind: 'user', id: 'u' },
      epoch,
      $correlationId: 'c',
      ...(key === undefined ? {} : { idempotency: { key, body: 'b' } }),
    },
  };
}

const tookOver = (position: bigint, epoch: number, revision: number): Recorded =>
  fact({ position, epoch, revision, stream: 'lease-control_plane', type: 'control_plane.took_over', data: { epoch } });

const start = tookOver(10n, 1, 0);
const kept = fact({ position: 20n, key: 'hash of k1' });

const judge = (commands: readonly CommandRecord[], log: readonly Recorded[], before: readonly Recorded[] = []) =>
  violationsOf({ commands, log, remembered: remember(before) });

const one = (promise: string, what: RegExp) => [{ promise, what: expect.stringMatching(what) as string }];

describe('a history in which every promise held', () => {
  it.each([
    ['acknowledged at once', [attempt(created())]],
    ['cut, then acknowledged', [attempt(undefined), attempt(created())]],
    [
      'told to come back, acknowledged, repeated',
      [attempt(refused(503, 'STORE_UNAVAILABLE')), attempt(created()), attempt(created())],
    ],
    ['never answered and applied', [attempt(undefined)]],
  ])('has nothing against a command that was %s', (_, attempts) => {
    expect(judge([command(attempts)], [start, kept], [start, kept])).toEqual([]);
  });

  it('has nothing against a command that was never answered and is not there', () => {
    expect(judge([command([attempt(undefined)])], [start])).toEqual([]);
  });

  it('has nothing against a refusal that the history allows', () => {
    const taken = command([attempt(refused(409, 'DUPLICATE_ROLE_NAME'))], { allowedRefusals: ['DUPLICATE_ROLE_NAME'] });
    expect(judge([taken], [start])).toEqual([]);
  });

  it('has nothing against a void fact of the command beside the one that counts (D18)', () => {
    const late = fact({ position: 12n, key: 'hash of k1', revision: 0, epoch: 1 });
    const again = fact({ position: 20n, key: 'hash of k1', revision: 1, epoch: 2 });
    expect(
      judge([command([attempt(undefined), attempt(created())])], [start, tookOver(11n, 2, 1), late, again]),
    ).toEqual([]);
  });

  it('lets a shared thing be answered as others have left it meanwhile', () => {
    const repeated = command([attempt(created()), attempt(created('changed by others'))], { isShared: true });
    expect(judge([repeated], [start, kept])).toEqual([]);
  });
});

describe('a broken history', () => {
  it('G1 misses the fact of an acknowledged command', () => {
    expect(judge([command([attempt(created())])], [start])).toEqual(
      one('G1', /1 of 1 facts are lost: role.created {"name":"ops"}/),
    );
  });

  it('G1 misses one of two facts', () => {
    const both = command([attempt(created())], {
      expected: [
        { type: 'role.created', data: {} },
        { type: 'role.updated', data: {} },
      ],
    });
    expect(judge([both], [start, kept])).toEqual(one('G1', /1 of 2 facts are lost/));
  });

  it('G1 does not count a void fact as kept', () => {
    const late = fact({ position: 20n, key: 'hash of k1', epoch: 1 });
    expect(judge([command([attempt(created())])], [start, tookOver(11n, 2, 1), late])).toEqual(one('G1', /lost/));
  });

  it('G1 sees an answer that speaks of an earlier position than its fact has', () => {
    const answer = { ...created(), position: 19n };
    expect(judge([command([attempt(answer)])], [start, kept])).toEqual(one('G1', /says position 19/));
  });

  it('G1 sees an answer that does not say where its fact is', () => {
    const answer = { ...created(), position: undefined };
    expect(judge([command([attempt(answer)])], [start, kept])).toEqual(one('G1', /does not say/));
  });

  it('G2 sees a fact that is there twice', () => {
    const again = fact({ position: 30n, key: 'hash of k1', revision: 1, data: { name: 'ops' } });
    const found = judge([command([attempt(created())])], [start, kept, again]);
    expect(found).toContainEqual(one('G2', /left 2 facts instead of 1/)[0]);
  });

  it('G2 sees a half of a command that was never answered', () => {
    const both = command([attempt(undefined)], {
      expected: [
        { type: 'role.created', data: {} },
        { type: 'role.updated', data: {} },
      ],
    });
    expect(judge([both], [start, kept])).toEqual(one('G2', /applied in part/));
  });

  it('G2 sees a repeated command that is answered with other words', () => {
    const found = judge([command([attempt(created()), attempt(created('other'))])], [start, kept]);
    expect(found).toEqual(one('G2', /answered differently/));
  });

  it('G2 sees a repeated command that is refused after it was done', () => {
    const found = judge([command([attempt(created()), attempt(refused(404, 'ROLE_NOT_FOUND'))])], [start, kept]);
    expect(found).toEqual(one('G2', /404 ROLE_NOT_FOUND, although it is done/));
  });

  it('G2 sees a command that was refused and is applied', () => {
    const taken = command([attempt(undefined), attempt(refused(409, 'CONFLICT'))], { allowedRefusals: ['CONFLICT'] });
    expect(judge([taken], [start, kept])).toEqual(one('G2', /refused with 409 CONFLICT and is applied/));
  });

  it('G2 sees a refusal that the history does not allow', () => {
    const found = judge([command([attempt(refused(404, 'ROLE_NOT_FOUND'))])], [start]);
    expect(found).toEqual(one('G2', /does not allow/));
  });

  it('G2 sees a fact that says something else than was sent', () => {
    const other = fact({ position: 20n, key: 'hash of k1', data: { name: 'dev' } });
    expect(judge([command([attempt(created())])], [start, other])).toEqual(one('G2', /name = "dev", sent was "ops"/));
  });

  it('G2 sees a fact of another type than was due', () => {
    const other = fact({ position: 20n, key: 'hash of k1', type: 'role.deleted' });
    expect(judge([command([attempt(created())])], [start, other])).toEqual(one('G2', /left role.deleted/));
  });

  it('G2 sees the facts of a command nobody sent', () => {
    expect(judge([], [start, kept])).toEqual(one('G2', /nobody sent/));
  });

  it('G3 sees that a fact has changed since it was read', () => {
    const changed = fact({ position: 20n, key: 'hash of k1', data: { name: 'ops', description: 'new' } });
    expect(judge([command([attempt(created())])], [start, changed], [start, kept])).toEqual(
      one('G3', /not what it was/),
    );
  });

  it('G3 sees that a fact which was read before is gone, also when nobody had an answer for it', () => {
    expect(judge([command([attempt(undefined)])], [start], [start, kept])).toEqual(
      one('G3', /read before and is gone/),
    );
  });

  it('F-08 sees a command that hung', () => {
    expect(judge([command([attempt(undefined, 30_001)])], [start])).toEqual(one('F-08', /hung for 30001 ms/));
  });

  it('F-08 sees an answer that speaks of a bug', () => {
    const found = judge([command([attempt(refused(500, 'INTERNAL_ERROR'))])], [start]);
    expect(found).toEqual(one('F-08', /500 INTERNAL_ERROR/));
  });
});

describe('a lost acknowledgement (ES-02)', () => {
  it.each([
    ['is one whose attempt was cut and is applied', attempt(undefined), 1],
    ['is one whose attempt was told 503 and is applied', attempt(refused(503, 'STORE_UNAVAILABLE')), 1],
    ['is none when nothing came of the attempt', { ...attempt(undefined), correlationId: 'other' }, 0],
    ['is none when the sender was told', attempt(created()), 0],
  ])('%s', (_, told, expected) => {
    expect(lostAcknowledgements([command([told])], [start, kept])).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { streamViolations } from './streams.ts';

type Told = { readonly type?: string; readonly data?: object; readonly epoch?: number; readonly id?: string };

function fact(
  position: bigint,
  place: string,
  { type = 'cluster.connected', data = {}, epoch = 1, id }: Told = {},
): Recorded {
  const [stream = '', revision] = place.split('@');
  return {
    id: id ?? `id ${position}`,
    type,
    data,
    stream,
    revision: Number(revision),
    position,
    recordedAt: new Date(0),
    metadata: { schemaVersion: 1, actor: { kind: 'user', id: 'u' }, epoch, $correlationId: 'c' },
  };
}

const tookOver = (position: bigint, epoch: number, revision = epoch - 1): Recorded =>
  fact(position, `lease-control_plane@${revision}`, { type: 'control_plane.took_over', data: { epoch }, epoch });

const role = (name: string) => ({ type: 'role.created', data: { name } });
const faults = (log: readonly Recorded[]): readonly string[] =>
  streamViolations(log).violations.map(({ what }) => what);

describe('G3 a log in order', () => {
  it('may mix streams, take over again and again, and give a name away that was set free', () => {
    const log = [
      tookOver(1n, 1),
      fact(2n, 'role-1@0', role('ops')),
      fact(3n, 'role-2@0', role('dev')),
      fact(4n, 'role-1@1', { type: 'role.deleted', data: { name: 'ops' } }),
      tookOver(5n, 2),
      fact(6n, 'role-2@1', { type: 'role.updated', data: { name: 'ops' }, epoch: 2 }),
      fact(7n, 'cluster-1@0', { type: 'cluster.registered', data: { name: 'ops' }, epoch: 2 }),
    ];
    expect(faults(log)).toEqual([]);
  });

  it('names the facts of an epoch that is over', () => {
    const { voidPositions, violations } = streamViolations([
      tookOver(1n, 1),
      tookOver(2n, 2),
      fact(3n, 'role-1@0', { ...role('ops'), epoch: 1 }),
      fact(4n, 'role-2@0', { ...role('ops'), epoch: 2 }),
    ]);
    expect([...voidPositions]).toEqual([3n]);
    expect(violations).toEqual([]);
  });
});

describe('G3 a broken log', () => {
  const start = tookOver(1n, 1);
  it.each<[string, readonly Recorded[], RegExp]>([
    ['a gap', [start, fact(2n, 'role-1@0'), fact(3n, 'role-1@2')], /role-1 has no revision 1: 2 follows 0/],
    ['a stream that does not begin', [start, fact(2n, 'role-1@1')], /role-1 has no revision 0/],
    ['a revision twice', [start, fact(2n, 'role-1@0'), fact(3n, 'role-1@0')], /revision 0 again, at position 3/],
    ['positions that fall', [start, fact(3n, 'role-1@0'), fact(2n, 'role-1@1')], /position 2 .* follows 3/],
    [
      'an id twice',
      [start, fact(2n, 'role-1@0', { id: 'same' }), fact(3n, 'role-2@0', { id: 'same' })],
      /the id same is there twice: role-1@0 and role-2@0/,
    ],
    ['an epoch that goes back', [tookOver(1n, 2, 0), tookOver(2n, 1, 1)], /epoch 1 was taken .* after epoch 2/],
    ['an epoch taken twice', [tookOver(1n, 1, 0), tookOver(2n, 1, 1)], /epoch 1 was taken .* after epoch 1/],
    ['a fact of an epoch to come', [start, fact(2n, 'role-1@0', { epoch: 2 })], /of epoch 2, which nobody has taken/],
    [
      'two living roles of one name',
      [start, fact(2n, 'role-1@0', role('ops')), fact(3n, 'role-2@0', role('ops'))],
      /role-2@0 takes the name of role-1/,
    ],
  ])('%s is seen', (_, log, what) => {
    expect(faults(log)).toEqual([expect.stringMatching(what)]);
  });
});

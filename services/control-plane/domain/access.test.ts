import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { endRequest } from './access-ends.ts';
import { evolveAccess, initialAccess, type AccessState } from './access.ts';
import { assignRole, endAssignment, unassignRole } from './assignment.ts';
import { approved, after, clusterId, noon, recorded, requested, roleId, userId } from './fixtures.ts';

const pair = { userId: userId(), clusterId: clusterId() };
const assigned = (assignmentId: string, n = 1): AccessFact => ({
  type: 'user.role_assigned',
  data: { ...pair, assignmentId, roleId: roleId(n) },
});
const closed = (type: 'revoked' | 'expired' | 'denied' | 'withdrawn', accessRequestId: string): AccessFact =>
  ({
    type: `access_request.${type}`,
    data: { ...pair, accessRequestId, reason: '', expiredAt: '2026-11-25T13:00:00.000Z' },
  }) as unknown as AccessFact;

const fold = (...facts: readonly AccessFact[]): AccessState =>
  facts.reduce<AccessState>(
    (state, fact, revision) => evolveAccess(state, recorded(fact, { revision }) as Recorded<AccessFact>),
    initialAccess,
  );

describe('a standing assignment', () => {
  it('replaces the one before it', () => {
    const state = fold(assigned('a', 1), assigned('b', 2));
    expect(state).toMatchObject({ assignment: { assignmentId: 'b', roleId: roleId(2) } });
    expect(() => unassignRole('a', state)).toThrow(expect.objectContaining({ code: 'ASSIGNMENT_NOT_FOUND' }));
    expect(unassignRole('b', state)).toHaveLength(1);
  });

  it('is no fact when the person has the role already', () => {
    expect(assignRole({ ...pair, assignmentId: 'b', roleId: roleId(1) }, fold(assigned('a', 1)))).toEqual([]);
  });

  it('is ended once and by its own id only', () => {
    const state = fold(assigned('a'));
    const ended = fold(assigned('a'), ...endAssignment('a', state));
    expect(ended).toMatchObject({ assignment: null, endedAssignmentId: 'a' });
    expect(endAssignment('a', ended)).toEqual([]);
    expect(endAssignment('b', state)).toEqual([]);
  });
});

describe('standing assignments, through any sequence of commands', () => {
  const step = fc.record({ what: fc.constantFrom('assign', 'assign', 'unassign', 'end'), n: fc.nat(3) });

  it('are one at a time: the last that was given and not taken', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        let [state, held]: [AccessState, { id: string; role: number } | undefined] = [initialAccess, undefined];
        for (const [at, { what, n }] of steps.entries()) {
          // Mostly the one that is held, sometimes one from before.
          const id = n === 0 ? 'a-0' : (held?.id ?? 'none');
          const isHeld = held?.id === id;
          let facts: readonly AccessFact[] = [];
          if (what === 'assign') facts = assignRole({ ...pair, assignmentId: `a-${at}`, roleId: roleId(n) }, state);
          else if (what === 'end') facts = endAssignment(id, state);
          else if (isHeld) facts = unassignRole(id, state);
          else expect(() => unassignRole(id, state)).toThrow(expect.objectContaining({ code: 'ASSIGNMENT_NOT_FOUND' }));
          const isChange = what === 'assign' ? held?.role !== n : isHeld;
          expect(facts).toHaveLength(isChange ? 1 : 0);
          if (isChange) held = what === 'assign' ? { id: `a-${at}`, role: n } : undefined;
          state = facts.reduce((before, fact) => evolveAccess(before, recorded(fact, { revision: at })), state);
          const assignment = state.status === 'known' ? state.assignment : null;
          expect(assignment?.assignmentId).toBe(held?.id);
          expect(assignment?.roleId).toBe(held && roleId(held.role));
        }
      }),
    );
  });
});

describe('a request', () => {
  it('becomes a grant when it is approved', () => {
    expect(fold(requested('r'), approved('r'))).toMatchObject({
      pending: null,
      grant: { accessRequestId: 'r', reviewerId: userId(9), startsAt: noon, expiresAt: after(3_600) },
    });
  });

  it('becomes none by an approval of another one', () => {
    const state = fold(requested('r'), approved('s'));
    expect(state).toMatchObject({ pending: { accessRequestId: 'r' }, grant: null });
  });

  it('gives its grant the place in the log that it has itself, so that both die of the same (D32)', () => {
    const late = recorded(approved('r'), { revision: 1, position: 9_000 });
    expect(evolveAccess(fold(requested('r')), late)).toMatchObject({ grant: { position: 0n } });
  });

  it.each(['denied', 'withdrawn', 'expired', 'revoked'] as const)('is over when it was %s', (how) => {
    expect(fold(requested('r'), closed(how, 'r'))).toMatchObject({
      pending: null,
      grant: null,
      endedRequest: { accessRequestId: 'r', how, grant: null },
    });
  });

  it('that has run out ended when it did, not when somebody said so', () => {
    const state = fold(requested('r'), approved('r'), closed('expired', 'r'));
    expect(state).toMatchObject({ endedRequest: { endedAt: after(3_600), grant: { accessRequestId: 'r' } } });
  });

  it('ends its grant when it is revoked or expires, and never another', () => {
    expect(fold(requested('r'), approved('r'), closed('expired', 'r'))).toMatchObject({ grant: null });
    expect(fold(requested('r'), approved('r'), closed('revoked', 'other'))).toMatchObject({
      grant: { accessRequestId: 'r' },
    });
  });

  it('leaves the new grant when an extension ends the old one', () => {
    const state = fold(requested('r'), approved('r'), requested('s'), approved('s'), closed('revoked', 'r'));
    expect(state).toMatchObject({ grant: { accessRequestId: 's' } });
  });

  it('is ended by its id only, pending or granted', () => {
    const command = { accessRequestId: 'r', reason: 'role deleted' };
    expect(endRequest(command, fold(requested('r')))).toHaveLength(1);
    expect(endRequest(command, fold(requested('r'), approved('r')))).toHaveLength(1);
    expect(endRequest(command, fold(requested('s')))).toEqual([]);
    expect(endRequest(command, initialAccess)).toEqual([]);
  });
});

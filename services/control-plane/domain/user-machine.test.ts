/** A person through any sequence of sign-ins, disabling and enabling: what the deciders say is what a simple model says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { UserFact } from '@clustral/schemas/events/user.ts';
import { after, claims, recorded, userId } from './fixtures.ts';
import { disableUser, enableUser, evolveUser, initialUser, syncUser, type UserState } from './user.ts';

type Model = {
  status: 'absent' | 'active' | 'disabled';
  email: string;
  signedIn: number;
  /** Index of the last fact by which they were disabled. */
  disabledAt: number;
};

const step = fc.record({
  what: fc.constantFrom('sync', 'sync', 'disable', 'enable'),
  by: fc.constantFrom(1, 8, 9),
  email: fc.constantFrom('a@corp.com', 'b@corp.com'),
  signedIn: fc.nat(3),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const person = userId(1);

function outcomeOf({ what, by, email, signedIn }: Step, state: UserState): readonly UserFact[] | Refusal {
  try {
    if (what === 'disable') return disableUser({ userId: person, byUserId: userId(by) }, state);
    if (what === 'enable') return enableUser({ userId: person }, state);
    const kubernetesName = { name: email, nameClass: 'verified' } as const;
    const told = { userId: person, claims: claims({ email }), kubernetesName };
    return syncUser({ ...told, signedInAt: after(signedIn).toISOString() }, state);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
}

/** The code that it must be refused with, or the number of facts; and the model after it. */
function expectedOf(model: Model, { what, by, email, signedIn }: Step, written: number): string | number {
  if (what === 'disable' && by === 1) return 'FORBIDDEN';
  if (what !== 'sync' && model.status === 'absent') return 'USER_NOT_FOUND';
  if (what === 'sync') {
    const isOld = model.status !== 'absent' && signedIn < model.signedIn;
    const isSame = model.status !== 'absent' && signedIn === model.signedIn && email === model.email;
    if (isOld || isSame) return 0;
    Object.assign(model, { email, signedIn, status: model.status === 'absent' ? 'active' : model.status });
    return 1;
  }
  const status = what === 'disable' ? 'disabled' : 'active';
  if (model.status === status) return 0;
  model.status = status;
  if (status === 'disabled') model.disabledAt = written;
  return 1;
}

describe('a person, through any sequence of commands', () => {
  it('is who the provider said last, and is out exactly while they are disabled', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const model: Model = { status: 'absent', email: '', signedIn: -1, disabledAt: -1 };
        let [state, written]: [UserState, number] = [initialUser, 0];
        for (const one of steps) {
          const expected = expectedOf(model, one, written);
          const outcome = outcomeOf(one, state);
          expect(outcome instanceof Refusal ? outcome.code : outcome.length).toBe(expected);
          for (const fact of outcome instanceof Refusal ? [] : outcome) {
            state = evolveUser(state, recorded(fact, { revision: written, position: written }));
            written += 1;
          }
          expect(state.status).toBe(model.status);
          if (state.status === 'absent') continue;
          expect(state.claims.email).toBe(model.email);
          // Whatever hung on them before the last time stays dead, also while they may act again (D32).
          expect(state.endedBefore).toBe(BigInt(model.disabledAt));
          expect(state.revision).toBe(written - 1);
        }
      }),
    );
  });
});

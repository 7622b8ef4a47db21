import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { plainReview, type RoleFact } from '@clustral/schemas/events/role.ts';
import { recorded, review, roleId } from './fixtures.ts';
import {
  createRole,
  deleteRole,
  evolveRole,
  initialRole,
  updateRole,
  type RoleContent,
  type RoleState,
} from './role.ts';

const viewer: RoleContent = {
  roleId: roleId(),
  name: 'viewer',
  description: '',
  k8sGroups: ['b', 'a'],
  review: undefined,
  nameHolder: undefined,
};
const fold = (facts: readonly RoleFact[]): RoleState =>
  facts.reduce<RoleState>(
    (state, fact, revision) => evolveRole(state, recorded(fact, { revision }) as Recorded<RoleFact>),
    initialRole,
  );
const created = fold(createRole(viewer, initialRole));
const deleted = fold([...createRole(viewer, initialRole), ...deleteRole(viewer, created)]);

describe('a role', () => {
  it('keeps its groups as given', () => {
    expect(created).toMatchObject({ status: 'active', k8sGroups: ['b', 'a'], revision: 0 });
  });

  it('has a new revision after each change, and none when nothing changes', () => {
    const wider = { ...viewer, k8sGroups: ['b', 'a', 'c'] };
    expect(fold([...createRole(viewer, initialRole), ...updateRole(wider, created)])).toMatchObject({
      k8sGroups: ['b', 'a', 'c'],
      revision: 1,
    });
    expect(updateRole(viewer, created)).toEqual([]);
  });

  it('tells groups in another order apart', () => {
    expect(updateRole({ ...viewer, k8sGroups: ['a', 'b'] }, created)).toHaveLength(1);
  });

  it('is reviewed by the rules it was given, until others are given', () => {
    const strict = review({ approvals: 2, ticketForms: ['OPS-#'] });
    const role = fold(createRole({ ...viewer, review: strict }, initialRole));
    expect(role).toMatchObject({ review: strict });
    expect(updateRole({ ...viewer, review: strict }, role)).toEqual([]);
    const renamed = updateRole({ ...viewer, name: 'reader' }, role);
    expect(renamed).toMatchObject([{ data: { name: 'reader', review: strict } }]);
    const plain = updateRole({ ...viewer, review: review() }, role);
    expect(fold([...createRole({ ...viewer, review: strict }, initialRole), ...plain])).toMatchObject({
      review: plainReview,
      revision: 1,
    });
  });

  it('without rules of its own is stored as before there were any, and read as plain', () => {
    expect(createRole(viewer, initialRole)[0]?.data).not.toHaveProperty('review');
    expect(created).toMatchObject({ review: plainReview });
    expect(updateRole({ ...viewer, review: review() }, created)).toEqual([]);
  });

  it('cannot take the name of another', () => {
    const taken = { ...viewer, nameHolder: roleId(2) };
    expect(() => createRole(taken, initialRole)).toThrow(expect.objectContaining({ code: 'DUPLICATE_ROLE_NAME' }));
    expect(() => updateRole(taken, created)).toThrow(expect.objectContaining({ code: 'DUPLICATE_ROLE_NAME' }));
    expect(updateRole({ ...viewer, nameHolder: roleId() }, created)).toEqual([]);
  });

  it.each([
    ['never was', initialRole],
    ['was deleted', deleted],
  ])('cannot be changed or deleted when it %s', (_, state) => {
    expect(() => updateRole(viewer, state)).toThrow(expect.objectContaining({ code: 'ROLE_NOT_FOUND' }));
    expect(() => deleteRole(viewer, state)).toThrow(expect.objectContaining({ code: 'ROLE_NOT_FOUND' }));
  });

  it('stays deleted', () => {
    const { nameHolder: _nameHolder, review: _review, ...data } = viewer;
    const late: RoleFact = { type: 'role.updated', data };
    expect(evolveRole(deleted, recorded(late, { revision: 2 }) as Recorded<RoleFact>)).toBe(deleted);
  });
});

describe('a role, through any sequence of commands', () => {
  type Model = { name: string; groups: string; approvals: number } | 'absent' | 'deleted';
  const step = fc.record({
    what: fc.constantFrom('create', 'update', 'update', 'update', 'delete'),
    name: fc.constantFrom('one', 'two', 'taken'),
    groups: fc.constantFrom('a', 'b', 'a b', 'b a'),
    approvals: fc.constantFrom(undefined, 1, 2),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  /** The code that it must be refused with, or the role after it. */
  function expectedOf(model: Model, { what, name, groups, approvals }: Step): Model | { readonly code: string } {
    const isThere = typeof model === 'object';
    if (what === 'create' ? model !== 'absent' : !isThere)
      return { code: what === 'create' ? 'CONFLICT' : 'ROLE_NOT_FOUND' };
    if (what === 'delete') return 'deleted';
    if (name === 'taken') return { code: 'DUPLICATE_ROLE_NAME' };
    return { name, groups, approvals: approvals ?? (isThere ? model.approvals : 1) };
  }

  const shown = (state: RoleState): Model =>
    state.status === 'active'
      ? { name: state.name, groups: state.k8sGroups.join(' '), approvals: state.review.approvals }
      : state.status;

  function outcomeOf({ what, name, groups, approvals }: Step, state: RoleState): readonly RoleFact[] | Refusal {
    const command: RoleContent = {
      ...viewer,
      name,
      k8sGroups: groups.split(' '),
      review: approvals === undefined ? undefined : review({ approvals }),
      nameHolder: name === 'taken' ? roleId(2) : undefined,
    };
    const decide = { create: createRole, update: updateRole, delete: deleteRole }[what];
    try {
      return decide?.(command, state) ?? [];
    } catch (thrown) {
      if (thrown instanceof Refusal) return thrown;
      throw thrown;
    }
  }

  it('is what it was last made, with a revision more for each change and none for none', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let [model, state, log]: [Model, RoleState, readonly RoleFact[]] = ['absent', initialRole, []];
        for (const one of steps) {
          const expected = expectedOf(model, one);
          const outcome = outcomeOf(one, state);
          if (outcome instanceof Refusal) {
            expect({ code: outcome.code }).toEqual(expected);
            continue;
          }
          const isChange = JSON.stringify(expected) !== JSON.stringify(model);
          expect(outcome).toHaveLength(isChange ? 1 : 0);
          log = [...log, ...outcome];
          state = fold(log);
          model = expected as Model;
          expect(shown(state)).toEqual(model);
          expect(state).toMatchObject({ revision: log.length - 1 });
        }
      }),
    );
  });
});

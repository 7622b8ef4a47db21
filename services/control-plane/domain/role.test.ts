import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { RoleFact } from '@clustral/schemas/events/role.ts';
import { recorded, roleId } from './fixtures.ts';
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
    const late: RoleFact = { type: 'role.updated', data: { ...viewer } };
    expect(evolveRole(deleted, recorded(late, { revision: 2 }) as Recorded<RoleFact>)).toBe(deleted);
  });
});

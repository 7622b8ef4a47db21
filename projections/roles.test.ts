import { describe, expect, it } from 'vitest';
import { plainReview } from '@clustral/schemas/events/role.ts';
import type { RoleId } from '@clustral/schemas/ids.ts';
import { roleCollection, roles } from './roles.ts';
import { roleCreated, roleDeleted } from './testing/people.ts';
import { heldAfter, Story } from './testing/story.ts';

const stream = 'role-r';
const updated = {
  type: 'role.updated',
  data: { roleId: 'r' as RoleId, name: 'admin', description: 'd', k8sGroups: ['CN=A,OU=B', 'system:masters'] },
} as const;
const roleAfter = async (story: Story) => (await heldAfter([roles], story.facts)).get(roleCollection, 'r');

describe('a role as shown', () => {
  it('carries the revision that an approval must have seen', async () => {
    const story = new Story().tell(stream, roleCreated('r', 'viewer'));
    const createdAt = story.facts[0]?.recordedAt.getTime();
    expect(await roleAfter(story)).toMatchObject({ name: 'viewer', revision: 0, createdAt, deleted: false });
    expect(await roleAfter(story.tell(stream, updated))).toMatchObject({
      name: 'admin',
      k8sGroups: ['CN=A,OU=B', 'system:masters'],
      revision: 1,
      createdAt,
    });
  });

  it('stays as a name when it is deleted, and changes no more', async () => {
    const story = new Story().tell(stream, roleCreated('r', 'viewer')).tell(stream, roleDeleted('r'));
    expect(await roleAfter(story.tell(stream, updated))).toMatchObject({ name: 'viewer', deleted: true, revision: 1 });
  });

  it('is reviewed by its rules, and by plain ones when it names none', async () => {
    const review = { ...plainReview, approvals: 2 };
    const story = new Story().tell(stream, roleCreated('r', 'viewer'));
    expect(await roleAfter(story)).toMatchObject({ review: plainReview });
    const strict = { ...updated, data: { ...updated.data, review } };
    expect(await roleAfter(story.tell(stream, strict))).toMatchObject({ review });
    expect(await roleAfter(story.tell(stream, updated))).toMatchObject({ review: plainReview });
  });
});

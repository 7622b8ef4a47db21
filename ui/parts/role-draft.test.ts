import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RoleSchema } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { draftOf, emptyRole, groupChange, messageOf } from './role-draft.ts';

describe('the form of a role', () => {
  it('gives back what it was made from', () => {
    const role = create(RoleSchema, {
      name: 'k8s-ops',
      description: 'operating',
      k8sGroups: ['CN=ops,OU=it', 'clustral viewers'],
      review: {
        approvals: 2,
        reviewerGroups: ['sre'],
        reviewerIds: ['u1'],
        maxDuration: '4h',
        reasonRequired: true,
        ticketForms: ['OPS-#'],
      },
    });
    const { name, description, k8sGroups, review } = role;
    expect(messageOf(draftOf(role))).toMatchObject({
      name,
      description,
      k8sGroups,
      review: {
        approvals: 2,
        reviewerGroups: ['sre'],
        reviewerIds: ['u1'],
        maxDuration: '4h',
        reasonRequired: true,
        ticketForms: review?.ticketForms,
      },
    });
  });

  it('takes one group from each line and none from an empty one', () => {
    expect(messageOf({ ...emptyRole, groups: ' a,b \n\n c d\n' }).k8sGroups).toEqual(['a,b', 'c d']);
  });

  it('tells what a change gives and takes', () => {
    expect(groupChange('a\nb', 'b\nsystem:masters')).toEqual({ given: ['system:masters'], taken: ['a'] });
  });
});

/** Facts of a role, which names the Kubernetes groups its holders are given: stream `role-{id}`. */
import type { RoleId } from '../ids.ts';

export type RoleFact =
  | {
      readonly type: 'role.created' | 'role.updated';
      readonly data: {
        readonly roleId: RoleId;
        readonly name: string;
        readonly description: string;
        readonly k8sGroups: readonly string[];
      };
    }
  | { readonly type: 'role.deleted'; readonly data: { readonly roleId: RoleId; readonly name: string } };

export const roleStream = (id: RoleId): string => `role-${id}`;

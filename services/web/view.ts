/** From what the control plane knows of a person to what their browser is told. */
import type { Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { adminRole, auditorRole } from '@clustral/schemas/tokens.ts';
import type { SessionView } from './session-view.ts';

export function viewOf({ user }: Pick<Me, 'user'>, expiresAt: Date): SessionView {
  const { id = '', email = '', name = '', preferredUsername = '', roles = [] } = user ?? {};
  return {
    user: { id, email, displayName: name || preferredUsername || email },
    roles,
    isAdmin: roles.includes(adminRole),
    isAuditor: roles.includes(auditorRole),
    expiresAt: expiresAt.toISOString(),
  };
}

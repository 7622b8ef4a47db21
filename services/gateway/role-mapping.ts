/**
 * Which roles and groups of the provider make somebody an administrator or an auditor of Clustral, beside the roles that are called so there
 * (D10). It is read strictly: a mapping to something that is no role of ours would leave somebody without the rights they were promised.
 */
import { z } from 'zod';
import { adminRole, auditorRole } from '@clustral/schemas/tokens.ts';

/** Name of a role or group at the provider → role of Clustral. */
export type RoleMapping = ReadonlyMap<string, string>;

const shape = z.record(z.string().min(1).max(256), z.enum([adminRole, auditorRole]));

/** Reads `{"platform-admins": "clustral-admin"}` as a variable is read: what is wrong with it becomes an issue. */
export function readRoleMapping(line: string, context: z.RefinementCtx): RoleMapping {
  const mapping = shape.safeParse(parsed(line));
  if (mapping.success) return new Map(Object.entries(mapping.data));
  context.addIssue({
    code: 'custom',
    message: `must be JSON like {"platform-admins": "${adminRole}"}, and lead to ${adminRole} or ${auditorRole} only`,
  });
  return z.NEVER;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * A role: a name for a list of Kubernetes groups, and how requests for it are decided. It knows nothing of who holds it. Groups are kept exactly as given,
 * never joined, split or sorted (PX-14); their form is checked at the edge. The rule it lives by: a deleted role never
 * returns.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { plainReview, type ReviewRules, type RoleFact } from '@clustral/schemas/events/role.ts';
import type { RoleId } from '@clustral/schemas/ids.ts';

export type RoleState =
  | { readonly status: 'absent' }
  | {
      readonly status: 'active';
      readonly roleId: RoleId;
      readonly name: string;
      readonly description: string;
      readonly k8sGroups: readonly string[];
      readonly review: ReviewRules;
      readonly createdAt: Date;
      /** Revision of the last fact: what an approval must have seen (D39). */
      readonly revision: number;
    }
  | { readonly status: 'deleted'; readonly roleId: RoleId; readonly name: string; readonly revision: number };

export const initialRole: RoleState = { status: 'absent' };

/** Folds one fact of the stream `role-{id}`. */
export function evolveRole(state: RoleState, fact: Recorded<RoleFact>): RoleState {
  const { revision } = fact;
  switch (fact.type) {
    case 'role.created':
      return { status: 'active', ...contentIn(fact.data), createdAt: fact.recordedAt, revision };
    case 'role.updated':
      return state.status === 'active' ? { ...state, ...contentIn(fact.data), revision } : state;
    case 'role.deleted':
      return { status: 'deleted', roleId: fact.data.roleId, name: fact.data.name, revision };
    default:
      return fact satisfies never;
  }
}

type ContentFact = Extract<RoleFact, { type: 'role.created' | 'role.updated' }>;

const contentIn = ({ review = plainReview, ...content }: ContentFact['data']) => ({ ...content, review });

/** What a role shall be. `nameHolder` is the live role that has the name now, if any. */
export type RoleContent = {
  readonly roleId: RoleId;
  readonly name: string;
  readonly description: string;
  readonly k8sGroups: readonly string[];
  /** Undefined = as it is: plain for a new role. */
  readonly review: ReviewRules | undefined;
  readonly nameHolder: RoleId | undefined;
};

/** Creates it. Refuses with `DUPLICATE_ROLE_NAME`. */
export function createRole(command: RoleContent, state: RoleState): readonly RoleFact[] {
  if (state.status !== 'absent')
    throw new Refusal('CONFLICT', `A role ${command.roleId} exists already: send a new Idempotency-Key.`);
  refuseTakenName(command);
  return [{ type: 'role.created', data: contentOf(command, plainReview) }];
}

/**
 * Replaces name, description and groups, and the review rules when some are given; no fact when nothing changes. Refuses
 * with `ROLE_NOT_FOUND`, `DUPLICATE_ROLE_NAME`.
 */
export function updateRole(command: RoleContent, state: RoleState): readonly RoleFact[] {
  if (state.status !== 'active') throw roleNotFound(command.roleId);
  refuseTakenName(command);
  const data = contentOf(command, state.review);
  return isSame(contentIn(data), state) ? [] : [{ type: 'role.updated', data }];
}

/** Deletes it. Refuses with `ROLE_NOT_FOUND`. */
export function deleteRole({ roleId }: { readonly roleId: RoleId }, state: RoleState): readonly RoleFact[] {
  if (state.status !== 'active') throw roleNotFound(roleId);
  return [{ type: 'role.deleted', data: { roleId, name: state.name } }];
}

/** The refusal for an id that names no live role. */
export const roleNotFound = (roleId: RoleId): Refusal =>
  new Refusal('ROLE_NOT_FOUND', `There is no role ${roleId}. 'clustral roles list' shows the roles.`, { roleId });

function refuseTakenName({ name, nameHolder, roleId }: RoleContent): void {
  if (nameHolder === undefined || nameHolder === roleId) return;
  throw new Refusal('DUPLICATE_ROLE_NAME', `A role named '${name}' exists already. Choose another name.`, {
    name,
    roleId: nameHolder,
  });
}

/** Plain rules are not written down: a role that has none is stored as before there were any. */
function contentOf(
  { roleId, name, description, k8sGroups, review }: RoleContent,
  present: ReviewRules,
): ContentFact['data'] {
  const rules = review ?? present;
  return { roleId, name, description, k8sGroups, ...(isEqual(rules, plainReview) ? {} : { review: rules }) };
}

const isSame = (content: ReturnType<typeof contentIn>, role: Extract<RoleState, { status: 'active' }>): boolean =>
  content.name === role.name &&
  content.description === role.description &&
  isEqual(content.k8sGroups, role.k8sGroups) &&
  isEqual(content.review, role.review);

const isEqual = (one: ReviewRules | readonly string[], other: ReviewRules | readonly string[]): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

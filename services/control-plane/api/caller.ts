/**
 * Makes the caller known before any handler runs: at first sight, when the provider says something new of them, and at
 * a new sign-in. It refuses whoever was disabled, and everybody while the policy is not current: who may call is an
 * access decision too (D16).
 */
import { userStream } from '@clustral/schemas/events/user.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { UserId } from '@clustral/schemas/ids.ts';
import { isAdmin, isAuditor, type Call } from '@clustral/kernel/api.ts';
import { disabled } from '../authorize.ts';
import type { NameRule } from '../domain/kubernetes-name.ts';
import { evolveUser, initialUser, syncUser } from '../domain/user.ts';
import { callerAsTold, callerId } from '../person.ts';
import type { Commands, Policy } from '../ports.ts';
import { causeOf } from './cause.ts';

/** A signed-in person as the handlers see them. */
export type Caller = { readonly userId: UserId; readonly isAdmin: boolean; readonly readsAll: boolean };

/** The caller of a method that is not for anyone. */
export function callerOf({ claims }: Call): Caller {
  if (claims === undefined) throw new Refusal('AUTHENTICATION_REQUIRED', "Sign in first with 'clustral login'.");
  return { userId: callerId(claims), isAdmin: isAdmin(claims), readsAll: isAdmin(claims) || isAuditor(claims) };
}

/** The hook for `ApiOptions.before`. */
export function makeCallerKnown(deps: {
  readonly commands: Commands;
  readonly policy: Pick<Policy, 'user' | 'assertFresh'>;
  readonly nameRule: NameRule;
}): (call: Call) => Promise<void> {
  return async (call) => {
    const { claims } = call;
    if (claims === undefined) return;
    deps.policy.assertFresh();
    const told = callerAsTold(claims, deps.nameRule);
    const known = deps.policy.user(told.userId) ?? initialUser;
    if (known.status === 'disabled') throw disabled(told.userId);
    if (syncUser(told, known).length === 0) return;
    await deps.commands.run({
      stream: userStream(told.userId),
      initial: initialUser,
      evolve: evolveUser,
      decide: (state) => {
        if (state.status === 'disabled') throw disabled(told.userId);
        return syncUser(told, state);
      },
      cause: causeOf(call),
    });
  };
}

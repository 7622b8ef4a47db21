/**
 * What the commands of `AccessService` share: finding the stream of a request, running on it, answering from it. The rule
 * it lives by: a request is found by its id, but what it is, is what its stream says.
 */
import { getAccessRequest } from '@clustral/projections/access-request-queries.ts';
import { accessStream, type AccessFact } from '@clustral/schemas/events/access.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { plainReview, type ReviewRules } from '@clustral/schemas/events/role.ts';
import type { AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { Call } from '@clustral/kernel/api.ts';
import { endsOf, type Ends } from '../domain/access-ends.ts';
import { evolveAccess, initialAccess, type AccessState } from '../domain/access.ts';
import type { Reviewer } from '../domain/review.ts';
import type { Cause } from '../ports.ts';
import type { RequestPlace } from '../request-index.ts';
import { accessRequestAnswer, requestOfState } from './access-request-answer.ts';
import { callerOf, type Caller } from './caller.ts';
import { modelsAt, tellPosition, type ApiDeps } from './deps.ts';

/** How long access is granted for, and for how long a request may be decided. */
export type AccessLimits = {
  readonly defaultSeconds: number;
  readonly maxSeconds: number;
  readonly decidableSeconds: number;
};

export type AccessDeps = ApiDeps & { readonly accessLimits: AccessLimits };

/** A request, by its id, and whose it is. */
export type Found = { readonly accessRequestId: string; readonly place: RequestPlace };

/** Whose the request is, if there ever was one. The fold has what is open or has just ended, the read model has the rest. */
export async function placeOf(
  { policy, models }: AccessDeps,
  accessRequestId: string,
): Promise<RequestPlace | undefined> {
  const known = policy.requestPlace(accessRequestId);
  if (known) return known;
  const found = await getAccessRequest(models, accessRequestId);
  return found && ({ userId: found.userId, clusterId: found.clusterId } as RequestPlace);
}

/** The rules by which the request is or was decided; plain ones for a request that there is not. */
export async function reviewOf(
  { policy, models }: AccessDeps,
  accessRequestId: string,
  place: RequestPlace | undefined,
): Promise<ReviewRules> {
  if (!place) return plainReview;
  const access = policy.access(place.userId, place.clusterId);
  const open = access?.status === 'known' ? [access.pending, access.grant?.request] : [];
  const known = open.find((request) => request?.accessRequestId === accessRequestId);
  return known?.review ?? (await getAccessRequest(models, accessRequestId))?.review ?? plainReview;
}

/** The caller as somebody who would decide, by the groups that the identity provider names now. */
export const reviewerOf = ({ claims }: Call, { userId, isAdmin }: Caller): Reviewer => ({
  userId,
  isAdmin,
  groups: claims?.groups ?? [],
});

/** Runs one command on the access that the request is part of, and answers with the request as the command left it. */
export async function run(
  deps: AccessDeps,
  call: Call,
  {
    accessRequestId,
    place,
    ...command
  }: Found & {
    readonly cause: Cause;
    readonly exclusive?: string;
    readonly decide: (state: AccessState, ends: Ends, now: Date) => readonly AccessFact[];
  },
): Promise<AccessRequest> {
  const { commands, policy, now } = deps;
  const result = await commands.run({
    ...command,
    stream: accessStream(place.userId, place.clusterId),
    initial: initialAccess,
    evolve: evolveAccess,
    decide: (state) => command.decide(state, endsOf(policy, state), now()),
  });
  tellPosition(call, result);
  const request =
    requestOfState(policy, result.state, accessRequestId) ??
    // A repeated call asks for one that ended, with others after it.
    (await getAccessRequest(await modelsAt(deps, result.position), accessRequestId));
  if (!request) throw requestNotFound(accessRequestId);
  return accessRequestAnswer(request);
}

/** The refusal for an id that names no request that the caller may see. */
export const requestNotFound = (accessRequestId: string): Refusal =>
  new Refusal(
    'REQUEST_NOT_FOUND',
    `There is no access request ${accessRequestId}: it may be somebody else's or never have been made. 'clustral access list' shows yours.`,
    { accessRequestId },
  );

/** A caller who may change something. */
export function actingCaller(call: Call): Caller {
  const caller = callerOf(call);
  if (caller.isAdmin || !caller.readsAll) return caller;
  throw new Refusal('FORBIDDEN', 'Auditors see everything and change nothing.');
}

/** Throws `FORBIDDEN` with the message unless the caller is an administrator. */
export function refuseOthers({ isAdmin }: Caller, message: string): void {
  if (!isAdmin) throw new Refusal('FORBIDDEN', message);
}

/** Access requests in words: their states, the columns of their list, and the terms that a reviewer decides about. Pure. */
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { AccessRequestStatus, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { CliError, exitCodes } from '../failure.ts';
import type { Tone } from '../style.ts';
import type { Column } from '../table.ts';
import { didYouMean, span, visible } from '../text.ts';

const states: Readonly<Record<AccessRequestStatus, readonly [word: string, tone: Tone]>> = {
  [AccessRequestStatus.UNSPECIFIED]: ['Unknown', 'quiet'],
  [AccessRequestStatus.PENDING]: ['Pending', 'warn'],
  [AccessRequestStatus.APPROVED]: ['Approved', 'good'],
  [AccessRequestStatus.DENIED]: ['Denied', 'bad'],
  [AccessRequestStatus.REVOKED]: ['Revoked', 'bad'],
  [AccessRequestStatus.EXPIRED]: ['Expired', 'quiet'],
  [AccessRequestStatus.WITHDRAWN]: ['Withdrawn', 'quiet'],
};
const words = Object.values(states)
  .map(([word]) => word)
  .filter((word) => word !== 'Unknown');

const stateOf = ({ status }: AccessRequest): readonly [word: string, tone: Tone] =>
  states[status] ?? states[AccessRequestStatus.UNSPECIFIED];

/** How a request stands, as `-o json` writes it: `Pending`. */
export const statusWord = (request: AccessRequest): string => stateOf(request)[0];

/** The status that a flag names, in either case. Throws a usage error naming the known ones. */
export function statusNamed(text: string): AccessRequestStatus {
  const found = Object.entries(states).find(([, [word]]) => word.toLowerCase() === text.toLowerCase());
  if (found !== undefined && found[1][0] !== 'Unknown') return Number(found[0]) as AccessRequestStatus;
  const meant = didYouMean(text, words);
  throw new CliError(
    exitCodes.usage,
    `unknown status '${visible(text)}'`,
    meant === undefined ? `use one of: ${words.join(', ')}` : `did you mean '${meant}'?`,
  );
}

/** What the list shows. `now` in milliseconds; `shortest` = how many characters of an id tell it from the others. */
export function columnsFor({ now, shortest }: { now: number; shortest: number }): readonly Column<AccessRequest>[] {
  return [
    { head: 'ID', value: ({ id }) => id.slice(0, shortest) },
    { head: 'STATUS', value: statusWord, tone: (request) => stateOf(request)[1] },
    { head: 'REQUESTER', value: ({ requesterName, requesterId }) => requesterName || requesterId },
    { head: 'CLUSTER', value: ({ clusterName, clusterId }) => clusterName || clusterId },
    { head: 'ROLE', value: ({ roleName, roleId }) => roleName || roleId },
    { head: 'FOR', value: ({ duration }) => duration || '-' },
    { head: 'ASKED', value: ({ createdAt }) => (createdAt === undefined ? '-' : span(now - msOf(createdAt))) },
    { head: 'UNTIL', value: (request) => leftOf(request, now) },
    { head: 'GROUPS', value: ({ roleK8sGroups }) => roleK8sGroups.join(', ') || '-', wide: true },
    {
      head: 'APPROVALS',
      value: ({ approvals, review }) => `${approvals.length}/${review?.approvals ?? 1}`,
      wide: true,
    },
    { head: 'REVIEWER', value: ({ reviewerName, reviewerId }) => reviewerName || reviewerId || '-', wide: true },
    { head: 'CREATED', value: ({ createdAt }) => instant(createdAt), wide: true },
    { head: 'ENDS', value: (request) => instant(endOf(request)), wide: true },
    { head: 'REASON', value: ({ reason, endReason }) => endReason || reason || '-' },
  ];
}

/** What an approval gives, line by line, as the person decides about it. `duration` replaces the one that was asked for. */
export function termsOf(request: AccessRequest, duration = request.duration): readonly string[] {
  const { requesterName, requesterId, clusterName, clusterId, roleName, roleId, roleK8sGroups, reason } = request;
  const { startsAt, extends: extended } = request;
  const lines: readonly (readonly [label: string, value: string])[] = [
    ['who', requesterName || requesterId],
    ['cluster', clusterName || clusterId],
    ['role', roleName || roleId],
    ['groups', roleK8sGroups.join(', ') || 'none: the role is gone'],
    ['for', duration],
    ...(startsAt === undefined ? [] : [['from', instant(startsAt)] as const]),
    ...(extended === '' ? [] : [['extends', extended] as const]),
    ['reason', reason || '-'],
    ...approvalLines(request),
  ];
  return lines.map(([label, value]) => `  ${label.padEnd(7)}   ${visible(value)}`);
}

/** Who has approved it and how many must, when one is not enough. */
function approvalLines(request: AccessRequest): readonly (readonly [string, string])[] {
  const { review } = request;
  if (review === undefined || review.approvals < 2) return [];
  const by = counting(request).map(({ reviewerName, reviewerId }) => reviewerName || reviewerId);
  return [['agreed', `${by.length} of ${review.approvals}${by.length === 0 ? '' : `: ${by.join(', ')}`}`]];
}

/** What a reviewer should not overlook. */
export function warningsOf({ roleK8sGroups, roleRevision, currentRoleRevision }: AccessRequest): readonly string[] {
  return [
    ...(roleK8sGroups.includes('system:masters')
      ? ['system:masters may do everything in the cluster, and no rule of the cluster can limit it.']
      : []),
    ...(roleRevision === currentRoleRevision ? [] : ['the role was changed since it was asked for.']),
  ];
}

/** A request in one sentence for the person who changed it. */
export function sentence(request: AccessRequest): string {
  const { requesterName, requesterId, clusterName, clusterId, roleName, roleId, duration } = request;
  const what = `${roleName || roleId} on ${clusterName || clusterId}`;
  const who = requesterName || requesterId;
  const from = request.startsAt === undefined ? '' : ` from ${instant(request.startsAt)}`;
  const until = request.grantExpiresAt === undefined ? '' : ` until ${instant(request.grantExpiresAt)}`;
  switch (request.status) {
    case AccessRequestStatus.PENDING:
      return `${request.id}   Pending: ${who} asks for ${what} for ${duration}${from}${approvedSoFar(request)}`;
    case AccessRequestStatus.APPROVED:
      return `${request.id}   Approved: ${who} has ${what}${from}${until}`;
    default:
      return `${request.id}   ${statusWord(request)}: ${who} does not have ${what} by it`;
  }
}

function approvedSoFar(request: AccessRequest): string {
  const { length } = counting(request);
  return length === 0 ? '' : ` (${length} of ${request.review?.approvals ?? 1} approvals)`;
}

/** An approval counts while the role is as it was shown (D39). */
const counting = ({ approvals, currentRoleRevision }: AccessRequest): AccessRequest['approvals'] =>
  approvals.filter(({ roleRevision }) => roleRevision === currentRoleRevision);

/** How many characters tell these ids from each other: at least 8. */
export function shortestOf(ids: readonly string[]): number {
  const sorted = ids.toSorted();
  const shared = (a: string, b: string): number => {
    let length = 0;
    while (length < a.length && a[length] === b[length]) length += 1;
    return length;
  };
  return Math.max(8, ...sorted.slice(1).map((id, index) => shared(id, sorted[index] ?? '') + 1));
}

/** When a pending request expires, or a running grant. */
function endOf({ status, expiresAt, grantExpiresAt }: AccessRequest): Timestamp | undefined {
  if (status === AccessRequestStatus.PENDING) return expiresAt;
  return status === AccessRequestStatus.APPROVED ? grantExpiresAt : undefined;
}

function leftOf(request: AccessRequest, now: number): string {
  const end = endOf(request);
  return end === undefined ? '-' : `in ${span(msOf(end) - now)}`;
}

const msOf = (time: Timestamp): number => timestampDate(time).getTime();

function instant(time: Timestamp | undefined): string {
  return time === undefined ? '-' : `${timestampDate(time).toISOString().slice(0, 19)}Z`;
}

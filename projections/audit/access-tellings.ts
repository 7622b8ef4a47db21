/** What the audit says of people, assignments, access requests and credentials. */
import { formatDuration } from '@clustral/schemas/duration.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import type { CredentialFact } from '@clustral/schemas/events/credential.ts';
import { displayName } from '@clustral/schemas/events/person.ts';
import type { UserFact } from '@clustral/schemas/events/user.ts';
import type { Names } from './names.ts';
import type { FactOf, Telling, Tellings } from './telling.ts';

export const accessTellings: Tellings<UserFact['type'] | AccessFact['type'] | CredentialFact['type']> = {
  'user.synced': (fact) => {
    const { claims, kubernetesName, nameClass, signedInAt } = fact.data;
    const name = displayName(claims);
    const { issuer, emailVerified, roles, groups } = claims;
    return {
      ...user(fact.data.userId, name),
      message: `${name} signed in; what the identity provider says was taken over`,
      details: { issuer, emailVerified, roles, groups, kubernetesName, nameClass, signedInAt },
    };
  },
  'user.disabled': (fact, names) => ({
    ...user(fact.data.userId, names.user(fact.data.userId)),
    message: `${names.actor} disabled ${names.user(fact.data.userId)}`,
  }),
  'user.enabled': (fact, names) => ({
    ...user(fact.data.userId, names.user(fact.data.userId)),
    message: `${names.actor} enabled ${names.user(fact.data.userId)}`,
  }),
  'user.role_assigned': (fact, names) =>
    assignment(fact, names, `${names.actor} gave ${names.user(fact.data.userId)} the ${roleOn(fact, names)}`),
  'user.role_unassigned': (fact, names) =>
    assignment(fact, names, `${names.actor} took the ${roleOn(fact, names)} from ${names.user(fact.data.userId)}`),
  'access_request.created': (fact, names) => {
    const { roleId, roleRevision, durationSeconds, startsAt, reason, suggestedReviewerEmails, review } = fact.data;
    const from = startsAt === null ? '' : ` from ${startsAt} on`;
    const wanted = `the ${roleOn(fact, names)} for ${formatDuration(durationSeconds)}${from}`;
    const asked = fact.data.extends === null ? 'asked for' : 'asked to extend';
    return request(fact, names, {
      message: because(`${names.user(fact.data.userId)} ${asked} ${wanted}`, reason),
      details: {
        roleId,
        roleRevision,
        duration: formatDuration(durationSeconds),
        durationSeconds,
        startsAt,
        reason,
        suggestedReviewerEmails,
        extends: fact.data.extends,
        ...(review === undefined ? {} : { review }),
      },
    });
  },
  'access_request.approval_given': (fact, names) => {
    const { reviewerId, durationSeconds } = fact.data;
    const whom = names.user(fact.data.userId);
    return request(fact, names, {
      message: `${names.user(reviewerId)} approved ${whom} for the ${roleOn(fact, names)}; more approvals are needed`,
      details: { ...reviewed(fact, names), duration: formatDuration(durationSeconds), durationSeconds },
    });
  },
  'access_request.approved': (fact, names) => {
    const { reviewerId, approverIds, durationSeconds, grantStartsAt, grantExpiresAt } = fact.data;
    const whom = names.user(fact.data.userId);
    return request(fact, names, {
      message: `${names.user(reviewerId)} granted ${whom} the ${roleOn(fact, names)} until ${grantExpiresAt}`,
      details: {
        ...reviewed(fact, names),
        ...(approverIds === undefined ? {} : { approverIds }),
        duration: formatDuration(durationSeconds),
        durationSeconds,
        grantStartsAt,
        grantExpiresAt,
      },
    });
  },
  'access_request.denied': (fact, names) => {
    const { reviewerId, reason } = fact.data;
    const what = `${names.user(reviewerId)} denied ${names.user(fact.data.userId)} the ${roleOn(fact, names)}`;
    return request(fact, names, { message: because(what, reason), details: { ...reviewed(fact, names), reason } });
  },
  'access_request.revoked': (fact, names) => {
    const { reason } = fact.data;
    return request(fact, names, {
      message: because(`${names.actor} ended the ${accessOrRequest(fact, names)}`, reason),
      details: { reason },
    });
  },
  'access_request.expired': (fact, names) => {
    const { expiredAt } = fact.data;
    const how = names.asked?.isGranted === false ? 'expired undecided' : 'expired';
    return request(fact, names, {
      message: `The ${accessOrRequest(fact, names)} ${how} at ${expiredAt}`,
      details: { expiredAt },
    });
  },
  'access_request.withdrawn': (fact, names) =>
    request(fact, names, {
      message: `The ${accessOrRequest(fact, names)} was withdrawn`,
      details: {},
    }),
  'credential.issued': (fact, names) => {
    const expiresAt = new Date(fact.data.expiresAtSeconds * 1000).toISOString();
    return credential(fact.data, names, {
      message: `A credential was issued to ${whoWhere(fact, names)}, good until ${expiresAt}`,
      details: { expiresAt },
    });
  },
  'credential.revoked': (fact, names) => {
    const { reason } = fact.data;
    return credential(fact.data, names, {
      message: `${names.actor} revoked a credential of ${whoWhere(fact, names)}: ${reason}`,
      details: { reason },
    });
  },
  'credential.revoke_denied': (fact, names) => {
    const { credentialId, reason } = fact.data;
    return {
      ...credential({ credentialId }, names, {
        message: `${names.actor} was refused to revoke credential ${credentialId}: ${reason}`,
        details: { reason },
      }),
      error: reason,
    };
  },
  'credential.issue_failed': (fact, names) => {
    const { reason } = fact.data;
    return {
      ...credential(fact.data, names, {
        message: `No credential was issued to ${whoWhere(fact, names)}: ${reason}`,
        details: { reason },
      }),
      error: reason,
    };
  },
};

type ReviewedFact = FactOf<'access_request.approval_given' | 'access_request.approved' | 'access_request.denied'>;

/** Who decided, and what they were shown when. */
function reviewed({ data }: ReviewedFact, names: Names): Readonly<Record<string, unknown>> {
  const { roleId, roleRevision, reviewerId, shownAt } = data;
  const reviewer = names.user(reviewerId);
  return { roleId, roleRevision, reviewer, reviewerId, ...(shownAt === undefined ? {} : { shownAt }) };
}

type Pair = { readonly data: { readonly userId: string; readonly clusterId: string } };

const whoWhere = ({ data }: Pair, names: Names): string =>
  `${names.user(data.userId)} on cluster '${names.cluster(data.clusterId)}'`;

type RequestFact = FactOf<Extract<AccessFact['type'], `access_request.${string}`>>;

const roleName = ({ data }: RequestFact, names: Names): string =>
  'roleId' in data ? names.role(data.roleId, data.roleRevision) : (names.asked?.roleName ?? '');

function accessOrRequest(fact: RequestFact, names: Names): string {
  const whose = names.user(fact.data.userId);
  const place = `on cluster '${names.cluster(fact.data.clusterId)}'`;
  const { asked } = names;
  if (!asked) return `access request of ${whose} ${place}`;
  const [what, linked] = asked.isGranted ? ['access', 'with'] : ['access request', 'for'];
  return `${what} of ${whose} ${linked} role '${asked.roleName}' ${place}`;
}

const because = (message: string, reason: string): string => (reason === '' ? message : `${message}: ${reason}`);

const roleOn = (
  { data }: { readonly data: { readonly roleId: string; readonly roleRevision?: number; readonly clusterId: string } },
  names: Names,
): string => `role '${names.role(data.roleId, data.roleRevision)}' on cluster '${names.cluster(data.clusterId)}'`;

const user = (id: string, name: string): Omit<Telling, 'message'> => ({
  resourceType: 'user',
  resourceId: id,
  resourceName: name,
  clusterId: null,
  details: {},
});

function assignment(
  { data }: FactOf<'user.role_assigned' | 'user.role_unassigned'>,
  names: Names,
  message: string,
): Telling {
  const { assignmentId, userId, clusterId, roleId } = data;
  const about = user(userId, names.user(userId));
  return { ...about, clusterId, message, details: { assignmentId, roleId, roleName: names.role(roleId) } };
}

type Words = { readonly message: string; readonly details: Readonly<Record<string, unknown>> };

function request(fact: RequestFact, names: Names, { message, details }: Words): Telling {
  const { accessRequestId, userId, clusterId } = fact.data;
  const role = roleName(fact, names);
  return {
    resourceType: 'access_request',
    resourceId: accessRequestId,
    resourceName: role,
    clusterId,
    accessRequestId,
    message,
    details: { requester: names.user(userId), userId, ...(role === '' ? {} : { roleName: role }), ...details },
  };
}

function credential(
  data: { readonly credentialId: string; readonly userId?: string; readonly clusterId?: string },
  names: Names,
  words: Words,
): Telling {
  const { credentialId, userId, clusterId } = data;
  return {
    resourceType: 'credential',
    resourceId: credentialId,
    resourceName: userId === undefined ? '' : names.user(userId),
    clusterId: clusterId ?? null,
    message: words.message,
    details: { ...(userId === undefined ? {} : { userId }), ...words.details },
  };
}

/** Help for the refusals that are about roles, standing assignments and access for a limited time. */
import type { ErrorHelp } from './entry.ts';

export const accessHelp = {
  NO_ROLE_ASSIGNMENT: {
    meaning: 'Nothing gives this person access to this cluster at the moment.',
    causes: [
      'There never was a role on this cluster.',
      'Access that was granted for a limited time is over, or was revoked.',
      'The access is granted from a later time on.',
    ],
    person: "Ask for access: 'clustral access request <cluster>'. 'clustral kube ls' shows what you can reach.",
    operator: "'clustral assignments add' gives a standing role; 'clustral audit' shows what ended the access.",
    example: "You have no role on cluster 'prod'. Ask for one with: clustral access request prod",
  },
  ROLE_NOT_FOUND: {
    meaning: 'There is no such role, or it was deleted.',
    causes: ['The name was mistyped; names are case-sensitive.', 'The role was deleted meanwhile.'],
    person: "'clustral roles list' shows the roles.",
    operator: "'clustral audit' shows who deleted it.",
    example: "There is no role 'view-only'.",
  },
  ASSIGNMENT_NOT_FOUND: {
    meaning: 'There is no such standing assignment of this person.',
    causes: ['It was removed already.', 'The person has the access from a request, not from an assignment.'],
    person: "Look at the person's assignments first.",
    operator: "Access from a request is ended with 'clustral access revoke'.",
    example: 'This person has no standing role on that cluster.',
  },
  REQUEST_NOT_FOUND: {
    meaning: 'There is no such access request, or it is not for you to see: the two are not told apart.',
    causes: ['The id was mistyped or cut short.', 'It is the request of somebody else, and you are no reviewer of it.'],
    person: "'clustral access list' shows the requests that you may see.",
    operator: 'Administrators and auditors see all requests.',
    example: 'There is no access request of that id that you may see.',
  },
  STATIC_ASSIGNMENT_EXISTS: {
    meaning: 'The person has a standing role on this cluster, which stands before anything granted for a time.',
    causes: ['The standing role is there and was overlooked.', 'A stronger role is wanted than the standing one.'],
    person: "Use the standing role; 'clustral kube ls' shows it. For a stronger one, ask an administrator.",
    operator: 'Replace or remove the standing role first if the person shall ask for another.',
    example: "You have the standing role 'viewer' on cluster 'prod' already.",
  },
  PENDING_REQUEST_EXISTS: {
    meaning: 'A request of this person for this cluster waits for its decision. There is one at a time.',
    causes: ['It was asked for twice.', 'An earlier request with another role or duration was forgotten.'],
    person: "Wait, or take it back with 'clustral access withdraw <id>' and ask anew.",
    operator: 'Decide it; the answer names its id.',
    example: "Your request 0192… for cluster 'prod' waits for its decision.",
  },
  GRANT_ALREADY_ACTIVE: {
    meaning: 'Access to this cluster was granted already and has not ended.',
    causes: ['The access is there and can be used.', 'A longer time or another role is wanted.'],
    person:
      "Use it. To go on longer: 'clustral access extend'. For another role, give this one back first: 'clustral access give-back'.",
    operator: 'Nothing.',
    example: "You have access to cluster 'prod' as 'viewer' until 18:00 UTC already.",
  },
  REQUEST_NOT_PENDING: {
    meaning: 'The request was decided, taken back or has ended: there is nothing left to decide.',
    causes: ['Somebody else was faster.', 'The person took the request back.', 'It ran out before anybody decided.'],
    person: "'clustral access list' shows what became of it. If access is still needed, ask again.",
    operator: 'Nothing.',
    example: 'The request was denied by ben@corp.example at 14:05 UTC.',
  },
  APPROVED_ALREADY: {
    meaning: 'You have approved this request, and it needs the approval of more than one person.',
    causes: ['The approval was sent twice.', 'The role asks for several reviewers.'],
    person: 'Have another reviewer approve it. Until then you can still deny it.',
    operator: "The role's review rules say how many approvals it takes.",
    example: 'You have approved this request already; one more approval is needed.',
  },
  REQUEST_EXPIRED: {
    meaning: 'Nobody decided the request in time, so it can be decided no more.',
    causes: ['No reviewer saw it.', 'The time for decisions is short on this installation.'],
    person: "Ask again with 'clustral access request', and tell a reviewer.",
    operator: 'Look who may review the role, and whether they learn of requests.',
    example: 'The request ran out at 2026-11-20 14:05 UTC before it was decided.',
  },
  GRANT_NOT_ACTIVE: {
    meaning: 'There is no access that could be ended, given back or extended.',
    causes: ['It has ended by itself.', 'It was revoked or given back already.', 'The request was never approved.'],
    person: "'clustral access list' shows what is active. Ask anew if access is needed.",
    operator: 'A request that waits is denied, not revoked.',
    example: 'This access ended at 2026-11-20 14:05 UTC.',
  },
  ROLE_CHANGED: {
    meaning:
      'The role gives something else now than when it was shown. Nothing was decided, so that nobody approves what they have not seen.',
    causes: ['Somebody edited the role while the request was being looked at.'],
    person: 'Look at the request again, then decide again.',
    operator: "'clustral audit' shows who changed the role, and how.",
    example: "Role 'deployer' was changed since it was shown to you. Look at it again, then decide.",
  },
  SELF_APPROVAL: {
    meaning: 'Nobody decides their own request, administrators included.',
    causes: ['An administrator asked for access and tried to approve it.'],
    person: 'Ask another reviewer.',
    operator: 'Have at least two people who may review each role.',
    example: 'You cannot approve your own request.',
  },
  DUPLICATE_ROLE_NAME: {
    meaning: 'Another role has this name.',
    causes: ['The role exists already.'],
    person: "Choose another name, or edit the role that is there: 'clustral roles list'.",
    operator: 'Nothing.',
    example: "There is a role 'viewer' already.",
  },
} as const satisfies Record<string, ErrorHelp>;

/** Help for the refusals that are about who somebody is. */
import type { ErrorHelp } from './entry.ts';

export const identityHelp = {
  AUTHENTICATION_REQUIRED: {
    meaning: 'The request carried no token, so nobody can say who asks.',
    causes: [
      "There was never a sign-in on this machine, or 'clustral logout' ended it.",
      'A kubeconfig without the clustral plugin is in use: its user entry holds no credential.',
      'A script calls the API without an Authorization header.',
    ],
    person: "Run 'clustral login', then try again. With kubectl, run 'clustral kube login <cluster>' afterwards.",
    operator:
      'When it meets everybody: look whether a proxy in front of the gateway takes the Authorization header off.',
    example: 'No token came with the request. Sign in with clustral login.',
  },
  INVALID_TOKEN: {
    meaning:
      'A token came with the request and is not good here: wrong signature, issuer, audience or kind, or its time is over.',
    causes: [
      'The sign-in has run out while nothing renewed it.',
      'A token for one surface was used on another: a kubeconfig credential on the API, or an access token with kubectl.',
      'The identity provider changed its keys, its issuer or the audience that it puts into tokens.',
      'The clock of a machine is wrong by more than 30 seconds.',
    ],
    person: "Run 'clustral login' again. If it comes back at once, compare this machine's clock with the right time.",
    operator:
      'Compare OIDC_AUTHORITY and OIDC_AUDIENCE with what the provider writes into its tokens; the log of the gateway names the claim that did not fit.',
    example: 'The token is not good here: its audience is another one. Sign in again with clustral login.',
  },
  FORBIDDEN: {
    meaning: 'It is known who asks, and this is not for them to do.',
    causes: [
      'The act is for administrators of Clustral, and the person is not one.',
      'The person was disabled.',
      'An auditor, who may read everything, tried to change something.',
    ],
    person: 'Ask an administrator of Clustral to do it, or for the right to do it.',
    operator:
      "Administrators and auditors are named by a role at the identity provider (clustral-admin, clustral-auditor; OIDC_ROLES_CLAIM says where it stands). 'clustral users list' shows who is disabled.",
    example: 'Only an administrator of Clustral may register a cluster.',
  },
  CREDENTIAL_REVOKED: {
    meaning: 'The kubeconfig credential was revoked. Nothing that is sent with it is let through, from that moment on.',
    causes: [
      "Its owner revoked it, or signed out with 'clustral logout'.",
      'An administrator revoked it, or disabled the person.',
      'What it was issued for has ended: the role was taken away or the cluster was removed.',
    ],
    person: "Run 'clustral kube login <cluster>' again. If that is refused too, its answer says why.",
    operator: "'clustral audit --code CRD' shows who revoked it and when.",
    example: 'This credential was revoked at 2026-11-20 14:05 UTC.',
  },
  CREDENTIAL_EXPIRED: {
    meaning: 'The time of the kubeconfig credential is over. Credentials end by themselves, after eight hours at most.',
    causes: [
      'It was written into a kubeconfig as a token and is not renewed by anybody.',
      'The access it was issued for was granted for a limited time, which is over.',
      'The clock of a machine is wrong.',
    ],
    person:
      "Run 'clustral kube login <cluster>' again. Without --embed-token the plugin in the kubeconfig renews by itself.",
    operator: 'CREDENTIAL_DEFAULT_TTL and CREDENTIAL_MAX_TTL say how long credentials live.',
    example: 'This credential expired at 2026-11-20 14:05 UTC.',
  },
  CREDENTIAL_NOT_FOUND: {
    meaning: 'There is no such credential, or it is not yours: the two are not told apart.',
    causes: ['The id was mistyped or cut short.', "It is somebody else's credential."],
    person: "Look at your own with 'clustral credentials list'.",
    operator: 'An administrator sees the credentials of everybody.',
    example: 'There is no such credential of yours.',
  },
  RESERVED_USER_NAME: {
    meaning:
      "The identity provider gives this person a name that Kubernetes keeps for its own parts, such as 'system:admin'. Nobody gets into a cluster under it.",
    causes: [
      'Somebody may choose their own user name at the provider and chose one that begins with system:.',
      'A claim that is not a name was configured as the name.',
    ],
    person: 'Have your name changed at the identity provider, then sign in again.',
    operator:
      "Change the person's name at the provider. If people may choose their names there, name them by issuer and subject instead.",
    example: "The name 'system:admin' is reserved by Kubernetes.",
  },
  USER_NAME_TAKEN: {
    meaning:
      'Somebody else is known to clusters by this very name. Two people with one name could act as each other, so the second one is not let in.',
    causes: [
      'Two issuers name two people alike.',
      'Somebody left, their address was given to somebody else, and the first account was never disabled.',
    ],
    person: 'Tell your administrator; nothing on your machine can solve it.',
    operator:
      "Disable the account that is not used any more ('clustral users disable'), or have the people of one issuer named by issuer and subject.",
    example: "The name 'ana@corp.example' belongs to somebody else already.",
  },
  USER_NOT_FOUND: {
    meaning: 'Nobody of that id or address has ever signed in here.',
    causes: [
      'The address was mistyped.',
      'The person has not signed in yet: people are known from their first sign-in on.',
    ],
    person: "Compare with 'clustral users list', or ask the person to run 'clustral login' once.",
    operator: 'Nothing: people are not created by hand.',
    example: "There is nobody with the address 'ana@corp.example'.",
  },
} as const satisfies Record<string, ErrorHelp>;

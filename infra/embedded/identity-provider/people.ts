/**
 * The three people of the embedded identity provider, the same as in the Keycloak realm of the compose file. Their
 * passwords are known to everybody on purpose: this provider is for trying Clustral out.
 */
export type Person = {
  readonly username: string;
  /** Fixed, not drawn at first start: a deleted data folder of this provider must not turn admin into a stranger (D14). */
  readonly subject: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
};

export const people: readonly Person[] = [
  {
    username: 'admin',
    subject: '3f0c2d5e-6d3b-4a53-9a39-0e5b7d1c8a01',
    givenName: 'Admin',
    familyName: 'User',
    email: 'admin@clustral.local',
    roles: ['default-roles-clustral', 'clustral-admin', 'clustral-user'],
    groups: ['platform-admins'],
  },
  {
    username: 'dev',
    subject: '8a7f1b94-52c6-4e0d-b6f8-41d9c3e2ba02',
    givenName: 'Dev',
    familyName: 'User',
    email: 'dev@clustral.local',
    roles: ['default-roles-clustral', 'clustral-user'],
    groups: ['developers'],
  },
  {
    username: 'auditor',
    subject: 'c15e9d70-3b8a-4f27-8d64-92a0f7e6cb03',
    givenName: 'Auditor',
    familyName: 'User',
    email: 'auditor@clustral.local',
    roles: ['default-roles-clustral', 'clustral-auditor'],
    groups: [],
  },
];

/** Everybody's first password is the user name; only its scrypt hash is stored. */
export function firstPassword(person: Person): string {
  return person.username;
}

/** What `npm start` prints when everything answers: the address, who can sign in, the fingerprint to compare, and the three commands to type next. */
import { firstPassword, people } from '../embedded/identity-provider/people.ts';

export type Welcome = {
  readonly port: number;
  readonly caFingerprint: string;
  readonly seconds: string;
  readonly logFolder: string;
};

/** The text, without colour. */
export function welcome({ port, caFingerprint, seconds, logFolder }: Welcome): string {
  const url = `https://localhost:${port}`;
  const users = people.map(
    (person) => `  ${`${person.username} / ${firstPassword(person)}`.padEnd(20)}${roleOf(person.roles)}`,
  );
  return [
    '',
    `ready: ${url}   (${seconds} s)`,
    '',
    'People who can sign in (for trying out only):',
    ...users,
    '',
    "SHA-256 of the gateway's CA:",
    `  ${caFingerprint}`,
    '',
    'Type next, in another terminal:',
    `  npx clustral login ${url}`,
    '  npx clustral kube login demo',
    '  kubectl get pods -A',
    '',
    `Logs are in ${logFolder}. Ctrl-C stops.`,
  ].join('\n');
}

const roleOf = (roles: readonly string[]): string =>
  ['clustral-admin', 'clustral-auditor', 'clustral-user'].find((role) => roles.includes(role)) ?? '';

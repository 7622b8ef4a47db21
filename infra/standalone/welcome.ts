/** What `npm start` prints when everything answers: the address, who can sign in, the fingerprint to compare, and the commands to type next. */
import { firstPassword, people } from '../embedded/identity-provider/people.ts';

/** The cluster that a person brought: the file, its current context, and the API server's address. */
export type LocalCluster = { readonly kubeconfig: string; readonly context: string; readonly server: string };

export type Welcome = {
  readonly port: number;
  readonly caFingerprint: string;
  readonly seconds: string;
  readonly logFolder: string;
  readonly local: LocalCluster | undefined;
};

/** The text, without colour. */
export function welcome({ port, caFingerprint, seconds, logFolder, local }: Welcome): string {
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
    ...(local ? [...aboutLocal(local), ''] : []),
    `Logs are in ${logFolder}. Ctrl-C stops.`,
  ].join('\n');
}

function aboutLocal({ kubeconfig, context, server }: LocalCluster): readonly string[] {
  return [
    `The context ${JSON.stringify(context)} of ${kubeconfig} is the cluster 'local' (${server}):`,
    '  npx clustral kube login local',
    '',
    'Nothing is written to that cluster. For the role k8s-viewer to read there, type this once:',
    `  kubectl --kubeconfig ${quoted(kubeconfig)} create clusterrolebinding clustral-viewers --clusterrole=view --group=clustral:viewers`,
  ];
}

const roleOf = (roles: readonly string[]): string =>
  ['clustral-admin', 'clustral-auditor', 'clustral-user'].find((role) => roles.includes(role)) ?? '';

// As a shell takes it for one word.
const quoted = (word: string): string =>
  /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/**
 * The command groups and when to load them: only the group of the first word, so that a start costs what the typed command needs. Nouns may be
 * typed in singular too.
 */
import type { CommandClass } from 'clipanion';
import type { CliContext } from './context.ts';

type Loader = () => Promise<readonly CommandClass<CliContext>[]>;

const session: Loader = async () => {
  const [login, logout, whoami, status] = await Promise.all([
    import('./commands/login.ts'),
    import('./commands/logout.ts'),
    import('./commands/whoami.ts'),
    import('./commands/status.ts'),
  ]);
  return [login.Login, logout.Logout, whoami.Whoami, status.Status];
};

const groups: Readonly<Record<string, Loader>> = {
  login: session,
  logout: session,
  whoami: session,
  status: session,
  version: async () => [(await import('./commands/version.ts')).Version],
  audit: async () => [(await import('./commands/audit.ts')).Audit],
  kube: async () => [
    (await import('./commands/kube/list.ts')).KubeList,
    (await import('./commands/kube/login.ts')).KubeLogin,
    (await import('./commands/kube/logout.ts')).KubeLogout,
    (await import('./commands/kube/credential.ts')).KubeCredential,
  ],
  clusters: async () => [
    (await import('./commands/clusters/list.ts')).ClustersList,
    (await import('./commands/clusters/register.ts')).ClustersRegister,
  ],
  roles: async () => [
    (await import('./commands/roles/list.ts')).RolesList,
    (await import('./commands/roles/create.ts')).RolesCreate,
  ],
  users: async () => [(await import('./commands/users/list.ts')).UsersList],
  assignments: async () => [
    (await import('./commands/assignments/add.ts')).AssignmentsAdd,
    (await import('./commands/assignments/remove.ts')).AssignmentsRemove,
  ],
};

const singular: Readonly<Record<string, string>> = {
  cluster: 'clusters',
  role: 'roles',
  user: 'users',
  assignment: 'assignments',
};

/** The group that a command line belongs to, or undefined when all are needed (help, an unknown word). */
export function groupOf(args: readonly string[]): string | undefined {
  const word = args.find((arg) => !arg.startsWith('-'));
  if (word === undefined) return undefined;
  const group = singular[word] ?? word;
  return Object.hasOwn(groups, group) ? group : undefined;
}

/** The commands of one group, or of all. */
export async function loadGroups(group: string | undefined): Promise<readonly CommandClass<CliContext>[]> {
  const loaders = new Set(Object.values(groups).filter((loader) => group === undefined || loader === groups[group]));
  const loaded = await Promise.all([...loaders].map((load) => load()));
  return loaded.flat();
}

/** Paths of a command: the words themselves, singular nouns and `ls`/`rm` as aliases. */
export function pathsOf(noun: string, verb: string): string[][] {
  const nouns = [
    noun,
    ...Object.entries(singular)
      .filter(([, plural]) => plural === noun)
      .map(([word]) => word),
  ];
  const short = { list: 'ls', remove: 'rm', delete: 'rm' }[verb];
  return nouns.flatMap((word) => [verb, ...(short === undefined ? [] : [short])].map((end) => [word, end]));
}

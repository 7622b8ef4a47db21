/** The code behind each command, loaded when it was typed and not before. */
import type { CommandClass } from 'clipanion';
import type { CommandName } from './command-table.ts';
import type { CliContext } from './context.ts';

/** A command's class, with what help wants to know beside clipanion. */
export type ClustralCommandClass = CommandClass<CliContext> & {
  readonly argumentHelp: Readonly<Record<string, string>>;
};

/** Loads a command's class. */
export const loadCommand: Readonly<Record<CommandName, () => Promise<ClustralCommandClass>>> = {
  login: async () => (await import('./commands/login.ts')).Login,
  logout: async () => (await import('./commands/logout.ts')).Logout,
  whoami: async () => (await import('./commands/whoami.ts')).Whoami,
  status: async () => (await import('./commands/status.ts')).Status,
  'kube list': async () => (await import('./commands/kube/list.ts')).KubeList,
  'kube login': async () => (await import('./commands/kube/login.ts')).KubeLogin,
  'kube logout': async () => (await import('./commands/kube/logout.ts')).KubeLogout,
  'kube credential': async () => (await import('./commands/kube/credential.ts')).KubeCredential,
  'clusters list': async () => (await import('./commands/clusters/list.ts')).ClustersList,
  'clusters register': async () => (await import('./commands/clusters/register.ts')).ClustersRegister,
  'roles list': async () => (await import('./commands/roles/list.ts')).RolesList,
  'roles create': async () => (await import('./commands/roles/create.ts')).RolesCreate,
  'users list': async () => (await import('./commands/users/list.ts')).UsersList,
  'assignments list': async () => (await import('./commands/assignments/list.ts')).AssignmentsList,
  'assignments add': async () => (await import('./commands/assignments/add.ts')).AssignmentsAdd,
  'assignments remove': async () => (await import('./commands/assignments/remove.ts')).AssignmentsRemove,
  audit: async () => (await import('./commands/audit.ts')).Audit,
  version: async () => (await import('./commands/version.ts')).Version,
};

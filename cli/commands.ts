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
  'accounts list': async () => (await import('./commands/accounts/list.ts')).AccountsList,
  'accounts use': async () => (await import('./commands/accounts/use.ts')).AccountsUse,
  'accounts remove': async () => (await import('./commands/accounts/remove.ts')).AccountsRemove,
  'kube list': async () => (await import('./commands/kube/list.ts')).KubeList,
  'kube login': async () => (await import('./commands/kube/login.ts')).KubeLogin,
  'kube logout': async () => (await import('./commands/kube/logout.ts')).KubeLogout,
  'kube repair': async () => (await import('./commands/kube/repair.ts')).KubeRepair,
  'kube credential': async () => (await import('./commands/kube/credential.ts')).KubeCredential,
  'clusters list': async () => (await import('./commands/clusters/list.ts')).ClustersList,
  'clusters register': async () => (await import('./commands/clusters/register.ts')).ClustersRegister,
  'clusters token': async () => (await import('./commands/clusters/token.ts')).ClustersToken,
  'clusters revoke-agent': async () => (await import('./commands/clusters/revoke-agent.ts')).ClustersRevokeAgent,
  'clusters remove': async () => (await import('./commands/clusters/remove.ts')).ClustersRemove,
  'roles list': async () => (await import('./commands/roles/list.ts')).RolesList,
  'roles create': async () => (await import('./commands/roles/create.ts')).RolesCreate,
  'roles edit': async () => (await import('./commands/roles/edit.ts')).RolesEdit,
  'users list': async () => (await import('./commands/users/list.ts')).UsersList,
  'users disable': async () => (await import('./commands/users/disable.ts')).UsersDisable,
  'users enable': async () => (await import('./commands/users/enable.ts')).UsersEnable,
  'assignments list': async () => (await import('./commands/assignments/list.ts')).AssignmentsList,
  'assignments add': async () => (await import('./commands/assignments/add.ts')).AssignmentsAdd,
  'assignments remove': async () => (await import('./commands/assignments/remove.ts')).AssignmentsRemove,
  'access request': async () => (await import('./commands/access/request.ts')).AccessRequestCommand,
  'access list': async () => (await import('./commands/access/list.ts')).AccessList,
  'access approve': async () => (await import('./commands/access/approve.ts')).AccessApprove,
  'access deny': async () => (await import('./commands/access/deny.ts')).AccessDeny,
  'access revoke': async () => (await import('./commands/access/revoke.ts')).AccessRevoke,
  'access give-back': async () => (await import('./commands/access/give-back.ts')).AccessGiveBack,
  'access extend': async () => (await import('./commands/access/extend.ts')).AccessExtend,
  'access withdraw': async () => (await import('./commands/access/withdraw.ts')).AccessWithdraw,
  'credentials list': async () => (await import('./commands/credentials/list.ts')).CredentialsList,
  'credentials revoke': async () => (await import('./commands/credentials/revoke.ts')).CredentialsRevoke,
  audit: async () => (await import('./commands/audit.ts')).Audit,
  'profiles list': async () => (await import('./commands/profiles/list.ts')).ProfilesList,
  'profiles use': async () => (await import('./commands/profiles/use.ts')).ProfilesUse,
  'profiles create': async () => (await import('./commands/profiles/create.ts')).ProfilesCreate,
  'profiles delete': async () => (await import('./commands/profiles/delete.ts')).ProfilesDelete,
  'profiles current': async () => (await import('./commands/profiles/current.ts')).ProfilesCurrent,
  'config show': async () => (await import('./commands/config/show.ts')).ConfigShow,
  'config path': async () => (await import('./commands/config/path.ts')).ConfigPath,
  'config get': async () => (await import('./commands/config/get.ts')).ConfigGet,
  'config set': async () => (await import('./commands/config/set.ts')).ConfigSet,
  'config clean': async () => (await import('./commands/config/clean.ts')).ConfigClean,
  completion: async () => (await import('./commands/completion.ts')).Completion,
  doctor: async () => (await import('./commands/doctor.ts')).Doctor,
  update: async () => (await import('./commands/update.ts')).Update,
  version: async () => (await import('./commands/version.ts')).Version,
};

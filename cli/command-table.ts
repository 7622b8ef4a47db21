/**
 * Every command, once: its words, its arguments, the line that help says about it. Plain data, so that the overview costs no more than
 * printing it; `commands.ts` knows the code behind each, and a test keeps the two and the classes equal.
 */

export type Entry = {
  /** The words as typed, canonical form. */
  readonly words: string;
  /** Arguments as usage shows them, e.g. `<cluster>` or `[host]`; empty when there are none. */
  readonly args: string;
  readonly category: string;
  readonly summary: string;
};

export const commandTable = [
  { words: 'login', args: '[host]', category: 'Session', summary: 'sign in to a Clustral server' },
  {
    words: 'logout',
    args: '',
    category: 'Session',
    summary: 'sign out: forget tokens, revoke credentials, remove contexts',
  },
  { words: 'whoami', args: '', category: 'Session', summary: 'show who is signed in, without asking the server' },
  { words: 'status', args: '', category: 'Session', summary: 'show session, server and the clusters you can reach' },
  { words: 'accounts list', args: '', category: 'Session', summary: 'list everybody who signed in to the profile' },
  {
    words: 'accounts use',
    args: '<account>',
    category: 'Session',
    summary: 'make another account the current one',
  },
  { words: 'accounts remove', args: '<account>', category: 'Session', summary: 'sign one account out and forget it' },
  { words: 'kube list', args: '', category: 'Kubernetes', summary: 'list the clusters you can reach' },
  {
    words: 'kube login',
    args: '[cluster...]',
    category: 'Kubernetes',
    summary: 'write kubeconfig contexts for clusters',
  },
  {
    words: 'kube logout',
    args: '<cluster>',
    category: 'Kubernetes',
    summary: 'remove that context and revoke its credential',
  },
  { words: 'kube repair', args: '', category: 'Kubernetes', summary: 'mend contexts whose plugin has moved' },
  {
    words: 'kube credential',
    args: '',
    category: 'Kubernetes',
    summary: 'print a credential for kubectl (its exec plugin)',
  },
  { words: 'clusters list', args: '', category: 'Clusters', summary: 'list registered clusters' },
  {
    words: 'clusters register',
    args: '<name>',
    category: 'Clusters',
    summary: "register a cluster and get its agent's bootstrap token",
  },
  {
    words: 'clusters token',
    args: '<cluster>',
    category: 'Clusters',
    summary: 'issue a new bootstrap token for its agent',
  },
  {
    words: 'clusters revoke-agent',
    args: '<cluster>',
    category: 'Clusters',
    summary: "cut a cluster's agent off until it enrols again",
  },
  {
    words: 'clusters remove',
    args: '<cluster>',
    category: 'Clusters',
    summary: 'remove a cluster and end all access to it',
  },
  { words: 'roles list', args: '', category: 'Access', summary: 'list roles and the Kubernetes groups they give' },
  { words: 'roles create', args: '<name>', category: 'Access', summary: 'create a role' },
  {
    words: 'roles edit',
    args: '<role>',
    category: 'Access',
    summary: 'change a role, or how requests for it are decided',
  },
  { words: 'users list', args: '', category: 'Access', summary: 'list people who have signed in' },
  { words: 'users disable', args: '<user>', category: 'Access', summary: 'keep a person out, at once and everywhere' },
  { words: 'users enable', args: '<user>', category: 'Access', summary: 'let a person in again' },
  { words: 'assignments list', args: '<user>', category: 'Access', summary: "list a person's standing roles" },
  {
    words: 'assignments add',
    args: '<user> <cluster> <role>',
    category: 'Access',
    summary: 'give a person a role on a cluster',
  },
  {
    words: 'assignments remove',
    args: '<user> <cluster>',
    category: 'Access',
    summary: "take a person's role on a cluster away",
  },
  {
    words: 'access request',
    args: '[cluster]',
    category: 'Access',
    summary: 'ask for a role on a cluster for a while',
  },
  { words: 'access list', args: '', category: 'Access', summary: 'list requests for access and what became of them' },
  { words: 'access approve', args: '<request>', category: 'Access', summary: 'give what a request asks for' },
  { words: 'access deny', args: '<request>', category: 'Access', summary: 'refuse a request' },
  { words: 'access revoke', args: '<request>', category: 'Access', summary: 'end granted access before its time' },
  {
    words: 'access give-back',
    args: '[request]',
    category: 'Access',
    summary: 'end your own access when you are done',
  },
  { words: 'access extend', args: '<request>', category: 'Access', summary: 'ask for more of the access you have' },
  { words: 'access withdraw', args: '<request>', category: 'Access', summary: 'take your own request back' },
  { words: 'credentials list', args: '', category: 'Access', summary: 'list credentials that are good' },
  {
    words: 'credentials revoke',
    args: '<credential>',
    category: 'Access',
    summary: 'make a credential good no more',
  },
  { words: 'audit', args: '', category: 'Audit', summary: 'search the audit log' },
  { words: 'profiles list', args: '', category: 'Configuration', summary: 'list profiles and how they stand' },
  {
    words: 'profiles use',
    args: '<profile>',
    category: 'Configuration',
    summary: 'make another profile the one in use',
  },
  { words: 'profiles create', args: '<profile>', category: 'Configuration', summary: 'make an empty profile' },
  {
    words: 'profiles delete',
    args: '<profile>',
    category: 'Configuration',
    summary: 'sign everybody of a profile out and delete it',
  },
  { words: 'profiles current', args: '', category: 'Configuration', summary: 'show the profile in use' },
  {
    words: 'config show',
    args: '',
    category: 'Configuration',
    summary: 'show settings, files, session and kubeconfig context',
  },
  { words: 'config path', args: '', category: 'Configuration', summary: 'show where this tool keeps what' },
  { words: 'config get', args: '<key>', category: 'Configuration', summary: 'show one setting' },
  { words: 'config set', args: '<key> <value>', category: 'Configuration', summary: 'change one setting' },
  { words: 'config clean', args: '', category: 'Configuration', summary: 'remove everything of this tool' },
  {
    words: 'completion',
    args: '<shell>',
    category: 'Configuration',
    summary: 'print the completion script for bash, zsh or fish',
  },
  { words: 'doctor', args: '', category: 'General', summary: 'look for what is wrong and say what to do' },
  { words: 'update', args: '', category: 'General', summary: 'say how to update this tool, and whether it is time' },
  { words: 'version', args: '', category: 'General', summary: 'show versions' },
] as const satisfies readonly Entry[];

export type CommandName = (typeof commandTable)[number]['words'];

/** The entry of a command. */
export function entryOf(name: CommandName): Entry {
  const entry = commandTable.find(({ words }) => words === name);
  if (!entry) throw new Error(`no command '${name}' in the table`);
  return entry;
}

/** What clipanion wants to know of a command, from its entry. */
export function usageOf(
  name: CommandName,
  more: { readonly details?: string; readonly examples?: [string, string][] } = {},
): { category: string; description: string; details?: string; examples?: [string, string][] } {
  const { category, summary } = entryOf(name);
  return { category, description: summary, ...more };
}

/** Flags that every command takes: value shown in help (none for a switch) and what it does. */
export const globalFlags = {
  output: { names: '-o,--output', value: 'FORMAT', text: 'table, wide, json, jsonl, yaml or name' },
  profile: { names: '--profile', value: 'NAME', text: 'use this profile instead of the current one' },
  account: { names: '--account', value: 'NAME', text: 'act as this account of the profile: e-mail or user name' },
  server: { names: '--server', value: 'HOST', text: 'use the profile that is for this server' },
  timeout: { names: '--timeout', value: 'DURATION', text: 'how long one call may take, 30s by default' },
  noInput: { names: '--no-input', value: '', text: 'never wait for a person, fail instead' },
  noColor: { names: '--no-color', value: '', text: 'print without colours' },
  debug: { names: '--debug', value: '', text: 'say on stderr what is called and how long it took' },
} as const satisfies Readonly<Record<string, { names: string; value: string; text: string }>>;

/** A flag's description that also carries the word for its value in help. */
export const flag = (value: string, text: string): { description: string } => ({ description: `${value}\t${text}` });

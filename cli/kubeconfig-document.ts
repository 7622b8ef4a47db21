/**
 * A kubeconfig as it is read: which contexts are ours, whose a name is, which context is current. Scalars are kept as text and never understood (`yes`,
 * `0123` and `1_000` mean different things in YAML 1.1, which kubectl reads, and in 1.2). Pure: text in, answers out; `kubeconfig-edit.ts` changes it.
 */
import { isMap, isScalar, isSeq, parseDocument, type Document, type ParsedNode, type YAMLMap } from 'yaml';
import { nothing, type Value } from './kubeconfig-nodes.ts';

/** The text and what it says. Never changed: an edit gives another one. */
export type Kubeconfig = { readonly text: string; readonly document: Document.Parsed<ParsedNode> };

export type Stanza = { readonly [key: string]: Value };

/** What is written for one name: a cluster, a user and the context that ties them. */
export type Entry = {
  readonly name: string;
  readonly cluster: Stanza & { readonly server: string };
  readonly user: Stanza;
};

/** A context whose cluster goes through Clustral. */
export type OurContext = {
  readonly name: string;
  readonly clusterId: string;
  /** Origin of the Clustral server. */
  readonly server: string;
  /** CA that kubectl verifies the server with, base64 of PEM. */
  readonly ca: string | undefined;
  /** Name of its user. */
  readonly user: string | undefined;
  /** How kubectl calls this tool; undefined when the stanza is no exec plugin of ours. */
  readonly plugin: Plugin | undefined;
  /** Key of the account that the exec plugin acts for. */
  readonly account: string | undefined;
  /** The token, when it is embedded. */
  readonly token: string | undefined;
};

/** The exec plugin of a user, as it is written. */
export type Plugin = {
  readonly apiVersion: string | undefined;
  readonly command: string;
  /** The script that the command runs; undefined when the command is the tool itself. */
  readonly script: string | undefined;
};

/** The three lists of stanzas, and the field that holds what a stanza says. */
export const stanzaFields = { clusters: 'cluster', users: 'user', contexts: 'context' } as const;
export type ListName = keyof typeof stanzaFields;
export const listNames = Object.keys(stanzaFields) as readonly ListName[];

const proxyAddress = /^(https?:\/\/[^/]+)\/api\/proxy\/([0-9a-f-]{36})$/;

/** The kubeconfig, or in words what is wrong with the text. */
export function parseKubeconfig(text: string): { config: Kubeconfig } | { problem: string } {
  const document = parseDocument(text, {
    schema: 'failsafe',
    customTags: (tags) => [...tags, nothing],
    // An edit must know where each part stands in the text.
    keepSourceTokens: true,
  });
  const [error] = document.errors;
  if (error) return { problem: error.message.split('\n')[0] ?? error.message };
  if (document.contents !== null && !isNothing(document.contents) && !isMap(document.contents))
    return { problem: 'it is not a mapping' };
  return { config: { text, document } };
}

/** True when a cluster, user or context has that name. */
export function isTaken(config: Kubeconfig, name: string): boolean {
  return listNames.some((list) => find(config, list, name) !== undefined);
}

/** Why the name may not be overwritten for that server: it belongs to somebody else. Undefined when it may. */
export function foreignOwner(config: Kubeconfig, name: string, server: string): string | undefined {
  const [cluster, user, context] = [
    find(config, 'clusters', name),
    find(config, 'users', name),
    find(config, 'contexts', name),
  ];
  if (!cluster && !user && !context) return undefined;
  const [, origin] = proxyAddress.exec(textAt(cluster, 'cluster', 'server') ?? '') ?? [];
  if (origin === undefined) return "that is not Clustral's";
  if (origin !== server) return `of another Clustral (${origin})`;
  if (user && !isOurUser(user)) return "whose user is not Clustral's";
  if (context && textAt(context, 'context', 'cluster') !== name) return 'that leads to another cluster';
  return undefined;
}

/** The contexts that go through Clustral. */
export function ourContexts(config: Kubeconfig): readonly OurContext[] {
  return itemsOf(config, 'contexts').flatMap((context) => {
    const name = textAt(context, 'name');
    const cluster = find(config, 'clusters', textAt(context, 'context', 'cluster'));
    const [, server, clusterId] = proxyAddress.exec(textAt(cluster, 'cluster', 'server') ?? '') ?? [];
    if (name === undefined || server === undefined || clusterId === undefined) return [];
    const userName = textAt(context, 'context', 'user');
    const user = find(config, 'users', userName);
    return [
      {
        name,
        server,
        clusterId,
        ca: textAt(cluster, 'cluster', 'certificate-authority-data'),
        user: userName,
        plugin: pluginOf(user),
        account: after('--account', execArgs(user)),
        token: textAt(user, 'user', 'token'),
      },
    ];
  });
}

/** The current context that the kubeconfig names, if any. */
export function currentOf({ document }: Kubeconfig): string | undefined {
  const name = document.get('current-context');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** The items of a list that are mappings. */
export function itemsOf({ document }: Kubeconfig, list: ListName): readonly YAMLMap[] {
  const items: unknown = document.get(list);
  return isSeq(items) ? items.items.filter((item): item is YAMLMap => isMap(item)) : [];
}

/** The first item of a list with that name. */
export function find(config: Kubeconfig, list: ListName, name: string | undefined): YAMLMap | undefined {
  return name === undefined ? undefined : itemsOf(config, list).find((item) => textAt(item, 'name') === name);
}

/** The text at a path below a mapping. */
export function textAt(map: YAMLMap | undefined, ...path: readonly string[]): string | undefined {
  const value: unknown = map?.getIn(path);
  return typeof value === 'string' ? value : undefined;
}

/** Arguments of a user's exec plugin. */
export function execArgs(user: YAMLMap | undefined): readonly string[] {
  const args: unknown = user?.getIn(['user', 'exec', 'args']);
  return isSeq(args)
    ? args.items.map((item) => (isScalar(item) && typeof item.value === 'string' ? item.value : ''))
    : [];
}

/** Ours hold an exec plugin that is `kube credential`, or a token and nothing else. */
export function isOurUser(user: YAMLMap | undefined): boolean {
  const stanza: unknown = user?.get('user');
  if (!isMap(stanza)) return false;
  const keys = stanza.items.map(({ key }) => (isScalar(key) ? key.value : key));
  if (keys.length !== 1) return false;
  return keys[0] === 'token' || pluginOf(user) !== undefined;
}

/** True for a node that says nothing: empty, `null` or `~`. */
export const isNothing = (node: unknown): boolean =>
  isScalar(node) && [null, 'null', '~'].includes(node.value as string | null);

function pluginOf(user: YAMLMap | undefined): Plugin | undefined {
  const args = execArgs(user);
  const at = args.indexOf('kube');
  const command = textAt(user, 'user', 'exec', 'command');
  if (command === undefined || at < 0 || at > 1 || args[at + 1] !== 'credential') return undefined;
  return { apiVersion: textAt(user, 'user', 'exec', 'apiVersion'), command, script: at === 1 ? args[0] : undefined };
}

function after(word: string, args: readonly string[]): string | undefined {
  const index = args.indexOf(word);
  return index < 0 ? undefined : args[index + 1];
}

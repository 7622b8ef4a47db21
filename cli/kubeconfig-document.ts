/**
 * A kubeconfig as a document that is edited in place: comments, unknown fields, foreign stanzas and every scalar stay as they were written, because
 * scalars are kept as text and never understood (`yes`, `0123` and `1_000` mean different things in YAML 1.1, which kubectl reads, and in 1.2). Pure:
 * text in, text out (ID-13).
 */
import { isMap, isScalar, isSeq, parseDocument, Scalar, visit, YAMLMap, type Document } from 'yaml';
import { nodeOf, nothing, textNode, type Value } from './kubeconfig-nodes.ts';

export type Kubeconfig = Document;

type Stanza = { readonly [key: string]: Value };

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
  /** Key of the account that the exec plugin acts for. */
  readonly account: string | undefined;
  /** The token, when it is embedded. */
  readonly token: string | undefined;
};

const proxyAddress = /^(https?:\/\/[^/]+)\/api\/proxy\/([0-9a-f-]{36})$/;

/** The document, or in words what is wrong with the text. */
export function parseKubeconfig(text: string): { document: Kubeconfig } | { problem: string } {
  const document = parseDocument(text, {
    schema: 'failsafe',
    customTags: (tags) => [...tags, nothing],
    keepSourceTokens: false,
  });
  const [error] = document.errors;
  if (error) return { problem: error.message.split('\n')[0] ?? error.message };
  if (document.contents !== null && !isNothing(document.contents) && !isMap(document.contents))
    return { problem: 'it is not a mapping' };
  if (!isMap(document.contents)) {
    const fresh = parseDocument('apiVersion: v1\nkind: Config\n', { schema: 'failsafe' });
    fresh.commentBefore = document.commentBefore ?? document.comment ?? null;
    return { document: fresh };
  }
  return { document };
}

/** The text of the document, indented as `before` was. */
export function printKubeconfig(document: Kubeconfig, before: string): string {
  // kubectl writes the items of a list below their key without indenting them.
  const indentSeq = /^ +- /m.test(before) && !/^- /m.test(before);
  // A file in JSON stays JSON: what was added is quoted too.
  if (isFlow(document)) visit(document, { Scalar: (_, scalar) => void (scalar.type ??= Scalar.QUOTE_DOUBLE) });
  return document.toString({ lineWidth: 0, indentSeq, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
}

/** Puts our three stanzas in place. What a person added to the context (a namespace, say) or the cluster stays. */
export function putEntry(document: Kubeconfig, { name, cluster, user }: Entry): void {
  // Of a stanza that was somebody else's nothing may stay: a proxy or a server name of theirs would lead elsewhere.
  if (foreignOwner(document, name, new URL(cluster.server).origin) !== undefined)
    for (const list of ['clusters', 'users', 'contexts']) drop(document, list, name);
  const mergedCluster = stanzaOf(document, { list: 'clusters', field: 'cluster', name });
  // The two would contradict the CA that we name, or the lack of one.
  for (const key of ['insecure-skip-tls-verify', 'certificate-authority', 'certificate-authority-data'])
    mergedCluster.delete(key);
  setAll(document, mergedCluster, cluster);
  const replacedUser = stanzaOf(document, { list: 'users', field: 'user', name });
  replacedUser.items = [];
  setAll(document, replacedUser, user);
  setAll(document, stanzaOf(document, { list: 'contexts', field: 'context', name }), { cluster: name, user: name });
}

/** True when a cluster, user or context has that name. */
export function isTaken(document: Kubeconfig, name: string): boolean {
  return ['clusters', 'users', 'contexts'].some((list) => find(document, list, name) !== undefined);
}

/** Why the name may not be overwritten for that server: it belongs to somebody else. Undefined when it may. */
export function foreignOwner(document: Kubeconfig, name: string, server: string): string | undefined {
  const [cluster, user, context] = [
    find(document, 'clusters', name),
    find(document, 'users', name),
    find(document, 'contexts', name),
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
export function ourContexts(document: Kubeconfig): readonly OurContext[] {
  return itemsOf(document, 'contexts').flatMap((context) => {
    const name = textAt(context, 'name');
    const cluster = find(document, 'clusters', textAt(context, 'context', 'cluster'));
    const [, server, clusterId] = proxyAddress.exec(textAt(cluster, 'cluster', 'server') ?? '') ?? [];
    if (name === undefined || server === undefined || clusterId === undefined) return [];
    const user = find(document, 'users', textAt(context, 'context', 'user'));
    const account = after('--account', execArgs(user));
    return [{ name, server, clusterId, account, token: textAt(user, 'user', 'token') }];
  });
}

/** Removes a context of ours, and its cluster and user unless another context uses them. */
export function removeContext(document: Kubeconfig, name: string): void {
  const context = find(document, 'contexts', name);
  const [cluster, user] = [textAt(context, 'context', 'cluster'), textAt(context, 'context', 'user')];
  drop(document, 'contexts', name);
  const rest = itemsOf(document, 'contexts');
  if (!rest.some((one) => textAt(one, 'context', 'cluster') === cluster)) drop(document, 'clusters', cluster);
  const isOurs = isOurUser(find(document, 'users', user));
  if (isOurs && !rest.some((one) => textAt(one, 'context', 'user') === user)) drop(document, 'users', user);
  if (currentOf(document) === name) setCurrent(document, '');
}

/** The current context that the document names, if any. */
export function currentOf(document: Kubeconfig): string | undefined {
  const name = document.get('current-context');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Names another current context. */
export function setCurrent(document: Kubeconfig, name: string): void {
  document.set(new Scalar('current-context'), textNode(name));
}

const isFlow = (document: Kubeconfig): boolean => isMap(document.contents) && document.contents.flow === true;
const isNothing = (node: unknown): boolean =>
  isScalar(node) && [null, 'null', '~'].includes(node.value as string | null);

function itemsOf(document: Kubeconfig, list: string): readonly YAMLMap[] {
  const items = document.get(list);
  return isSeq(items) ? items.items.filter((item): item is YAMLMap => isMap(item)) : [];
}

function find(document: Kubeconfig, list: string, name: string | undefined): YAMLMap | undefined {
  return name === undefined ? undefined : itemsOf(document, list).find((item) => textAt(item, 'name') === name);
}

function textAt(map: YAMLMap | undefined, ...path: readonly string[]): string | undefined {
  const value: unknown = map?.getIn(path);
  return typeof value === 'string' ? value : undefined;
}

function execArgs(user: YAMLMap | undefined): readonly string[] {
  const args: unknown = user?.getIn(['user', 'exec', 'args']);
  return isSeq(args)
    ? args.items.map((item) => (isScalar(item) && typeof item.value === 'string' ? item.value : ''))
    : [];
}

/** Ours hold an exec plugin that is `kube credential`, or a token and nothing else. */
function isOurUser(user: YAMLMap | undefined): boolean {
  const stanza: unknown = user?.get('user');
  if (!isMap(stanza)) return false;
  const keys = stanza.items.map(({ key }) => (isScalar(key) ? key.value : key));
  if (keys.length !== 1) return false;
  return keys[0] === 'token' || (keys[0] === 'exec' && after('kube', execArgs(user)) === 'credential');
}

function after(word: string, args: readonly string[]): string | undefined {
  const index = args.indexOf(word);
  return index < 0 ? undefined : args[index + 1];
}

/** The inner mapping of an item of a list, made when it is not there. */
function stanzaOf(document: Kubeconfig, { list, field, name }: { list: string; field: string; name: string }): YAMLMap {
  const item = find(document, list, name) ?? addItem(document, list, name);
  const inner: unknown = item.get(field);
  if (isMap(inner)) return inner;
  const made = new YAMLMap();
  item.set(new Scalar(field), made);
  return made;
}

function addItem(document: Kubeconfig, list: string, name: string): YAMLMap {
  const item = document.createNode({ name: textNode(name) }) as YAMLMap;
  const known = document.get(list);
  if (!isSeq(known)) document.set(new Scalar(list), document.createNode([item]));
  else {
    known.items.push(item);
    // An empty list is often written `[]`; what follows should read like the rest.
    known.flow = isFlow(document);
  }
  return item;
}

function setAll(document: Kubeconfig, map: YAMLMap, values: Stanza): void {
  // A `{}` that grew reads better as a block; in JSON everything stays as it is.
  map.flow = isFlow(document);
  for (const [key, value] of Object.entries(values)) map.set(new Scalar(key), nodeOf(value));
}

function drop(document: Kubeconfig, list: string, name: string | undefined): void {
  const items: unknown = document.get(list);
  if (name === undefined || !isSeq(items)) return;
  items.items = items.items.filter((item) => !(isMap(item) && textAt(item, 'name') === name));
  if (items.items.length === 0) items.flow = true;
}

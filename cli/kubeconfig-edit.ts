/**
 * Changes to a kubeconfig, each of which touches our stanzas of one name and nothing else: every foreign byte stays where it is (ID-13). Before a change
 * is handed out it is read again; one that would not leave the rest as it was, because the file uses YAML in a way that is not foreseen, is refused.
 * Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, Scalar, YAMLMap } from 'yaml';
import { CliError, exitCodes } from './failure.ts';
import {
  currentOf,
  execArgs,
  find,
  foreignOwner,
  isOurUser,
  itemsOf,
  listNames,
  parseKubeconfig,
  stanzaFields,
  textAt,
  type Entry,
  type Kubeconfig,
  type ListName,
  type Plugin,
  type Stanza,
} from './kubeconfig-document.ts';
import { nodeOf, textNode } from './kubeconfig-nodes.ts';
import { withItem, withItemReplaced, withoutItem, withRoot, withValue } from './kubeconfig-splice.ts';

type Place = { readonly list: ListName; readonly name: string };

/** Which items a change is about. */
type Touched = Partial<Readonly<Record<ListName, string | undefined>>>;

/** Puts our three stanzas in place. What a person added to the context (a namespace, say) or the cluster stays. */
export function putEntry(given: Kubeconfig, { name, cluster, user }: Entry): Kubeconfig {
  let config = rooted(given);
  const touched = { clusters: name, users: name, contexts: name };
  const before = restOf(config, touched);
  // Of a stanza that was somebody else's nothing may stay: a proxy or a server name of theirs would lead elsewhere.
  if (foreignOwner(config, name, new URL(cluster.server).origin) !== undefined)
    for (const list of listNames) config = dropped(config, list, name);
  config = withStanza(config, { list: 'clusters', name }, (map) => {
    // These would contradict the CA that we name, or the lack of one.
    for (const key of ['insecure-skip-tls-verify', 'certificate-authority', 'certificate-authority-data'])
      map.delete(key);
    setAll(map, cluster);
  });
  config = withStanza(config, { list: 'users', name }, (map) => {
    map.items = [];
    setAll(map, user);
  });
  config = withStanza(config, { list: 'contexts', name }, (map) => setAll(map, { cluster: name, user: name }));
  return checked(config, touched, before);
}

/** Removes a context of ours, and its cluster and user unless another context uses them. */
export function removeContext(given: Kubeconfig, name: string): Kubeconfig {
  const context = find(given, 'contexts', name);
  if (context === undefined) return given;
  const [cluster, user] = [textAt(context, 'context', 'cluster'), textAt(context, 'context', 'user')];
  const others = itemsOf(given, 'contexts').filter((one) => textAt(one, 'name') !== name);
  const isUsed = (field: 'cluster' | 'user', by: string | undefined): boolean =>
    others.some((one) => textAt(one, 'context', field) === by);
  const touched: Touched = {
    contexts: name,
    ...(isUsed('cluster', cluster) ? {} : { clusters: cluster }),
    ...(isUsed('user', user) || !isOurUser(find(given, 'users', user)) ? {} : { users: user }),
  };
  const before = restOf(given, touched);
  let config = given;
  for (const list of listNames) config = dropped(config, list, touched[list]);
  config = currentOf(config) === name ? setCurrent(config, '') : config;
  return checked(config, touched, before);
}

/** Names another current context. */
export function setCurrent(given: Kubeconfig, name: string): Kubeconfig {
  const config = rooted(given);
  if ((currentOf(config) ?? '') === name && config.document.has('current-context')) return config;
  return checked(reread(withValue(config, 'current-context', textNode(name))), {}, restOf(config, {}));
}

/** Has the exec plugin of a user of ours called by another path or in another version; its flags stay. */
export function mendPlugin(given: Kubeconfig, user: string, plugin: Plugin): Kubeconfig {
  const touched = { users: user };
  const args = execArgs(find(given, 'users', user));
  const flags = args.slice(args.indexOf('kube'));
  const config = withStanza(given, { list: 'users', name: user }, (map) => {
    const exec: unknown = map.get('exec');
    if (!isMap(exec)) throw notEditable();
    const { apiVersion, command, script } = plugin;
    setAll(exec, {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      command,
      args: [...(script === undefined ? [] : [script]), ...flags],
    });
  });
  return checked(config, touched, restOf(given, touched));
}

/** The stanza of that name after a change to what it says; a new one when there was none. */
function withStanza(config: Kubeconfig, { list, name }: Place, change: (said: YAMLMap) => void): Kubeconfig {
  const field = stanzaFields[list];
  const known = find(config, list, name);
  if (known === undefined) {
    const inner = new YAMLMap();
    change(inner);
    const item = new YAMLMap();
    item.set(new Scalar('name'), textNode(name));
    item.set(new Scalar(field), inner);
    return reread(withItem(config, list, item));
  }
  const item = known.clone() as YAMLMap;
  const said: unknown = item.get(field);
  const inner = isMap(said) ? said : new YAMLMap();
  // A `{}` that grew reads better as a block.
  inner.flow = known.flow === true;
  change(inner);
  item.set(new Scalar(field), inner);
  if (isDeepStrictEqual(item.toJSON(), known.toJSON())) return config;
  return reread(withItemReplaced(config, known, item));
}

function setAll(map: YAMLMap, values: Stanza): void {
  for (const [key, value] of Object.entries(values)) {
    const known = map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
    // The key that is there may carry a comment.
    if (known === undefined) map.set(new Scalar(key), nodeOf(value));
    else known.value = nodeOf(value);
  }
}

function dropped(given: Kubeconfig, list: ListName, name: string | undefined): Kubeconfig {
  let config = given;
  for (let item = find(config, list, name); item !== undefined; item = find(config, list, name))
    config = reread(withoutItem(config, list, item));
  return config;
}

/** A file that says nothing becomes a whole kubeconfig. */
function rooted(config: Kubeconfig): Kubeconfig {
  return isMap(config.document.contents) ? config : reread(withRoot(config, 'apiVersion: v1\nkind: Config\n'));
}

function reread(text: string): Kubeconfig {
  const read = parseKubeconfig(text);
  if ('config' in read) return read.config;
  throw notEditable();
}

/** All that a change must leave: everything but the touched items, empty lists and the current context. */
function restOf(config: Kubeconfig, touched: Touched): unknown {
  const whole = config.document.toJS({ maxAliasCount: -1 }) as Record<string, unknown>;
  const isTouched = (key: string, item: unknown): boolean => {
    const name = touched[key as ListName];
    return name !== undefined && (item as { name?: unknown } | null)?.name === name;
  };
  return Object.entries(whole)
    .filter(([key]) => key !== 'current-context')
    .map(([key, value]) => [key, Array.isArray(value) ? value.filter((item) => !isTouched(key, item)) : value])
    .filter(([key, value]) => !(Object.hasOwn(stanzaFields, key as string) && isEmpty(value)));
}

/** An empty list, however it is written. */
const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : [null, 'null', '~'].includes(value as string | null);

function checked(config: Kubeconfig, touched: Touched, before: unknown): Kubeconfig {
  if (isDeepStrictEqual(restOf(config, touched), before)) return config;
  throw notEditable();
}

const notEditable = (): CliError =>
  new CliError(
    exitCodes.failed,
    'the kubeconfig uses YAML in a way that cannot be edited without touching what is not ours',
    'name another file with --kubeconfig',
  );

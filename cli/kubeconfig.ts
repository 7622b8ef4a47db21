/**
 * Kubeconfig files, edited with care: only our own three stanzas are touched, comments and unknown fields stay, the file is locked as client-go locks it,
 * written beside and renamed. A stanza of the same name that is not ours is never overwritten without `--force` (ID-13).
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { isMap, isSeq, parseDocument, type Document, type YAMLMap, type YAMLSeq } from 'yaml';
import { CliError, exitCodes } from './failure.ts';
import { lockFile } from './files.ts';

export type Entry = { readonly name: string; readonly cluster: object; readonly user: object };

type Environment = Readonly<Record<string, string | undefined>>;

/** The files that kubectl would read, in its order. */
export function kubeconfigFiles(flag: string | undefined, env: Environment): readonly string[] {
  if (flag !== undefined) return [flag];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(env['HOME'] || homedir(), '.kube', 'config')];
}

/** Writes cluster, user and context of one name. Returns the file and the context that was current before. */
export async function writeEntry(
  files: readonly string[],
  entry: Entry,
  options: { setContext: boolean; force: boolean },
): Promise<{ file: string; previousContext: string | undefined }> {
  // kubectl's rule: where the stanza lives, else the first file that exists, else the last one named.
  const home =
    files.find((file) => existsSync(file) && hasContext(read(file), entry.name)) ??
    files.find((file) => existsSync(file)) ??
    files.at(-1) ??
    '';
  const previousContext = await edit(home, (document) => {
    if (!options.force) refuseForeign(document, entry.name, home);
    put(document, 'clusters', { name: entry.name, cluster: entry.cluster });
    put(document, 'users', { name: entry.name, user: entry.user });
    put(document, 'contexts', { name: entry.name, context: { cluster: entry.name, user: entry.name } });
    const previous = document.get('current-context');
    if (options.setContext) document.set('current-context', entry.name);
    return typeof previous === 'string' && previous !== '' ? previous : undefined;
  });
  return { file: home, previousContext };
}

/** Removes every entry of ours that `matches` accepts by context name. Returns the removed names. */
export async function removeEntries(
  files: readonly string[],
  matches: (name: string) => boolean,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const file of files.filter((path) => existsSync(path))) {
    if (!ours(read(file)).some(matches)) continue;
    await edit(file, (document) => {
      for (const name of ours(document).filter(matches)) {
        for (const list of ['clusters', 'users', 'contexts']) drop(document, list, name);
        if (document.get('current-context') === name) document.set('current-context', '');
        removed.push(name);
      }
    });
  }
  return removed;
}

/** Names of the contexts whose cluster goes through Clustral at that server, with the cluster's id. */
export function contextsOf(files: readonly string[], server: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const file of files.filter((path) => existsSync(path))) {
    const document = read(file);
    for (const name of ours(document)) {
      const address = serverOf(document, name);
      if (address.startsWith(`${server}/api/proxy/`)) found.set(address.slice(`${server}/api/proxy/`.length), name);
    }
  }
  return found;
}

/** The context that kubectl uses now. */
export function currentContext(files: readonly string[]): string | undefined {
  const named = files.filter((path) => existsSync(path)).map((file) => read(file).get('current-context'));
  return named.find((name): name is string => typeof name === 'string' && name !== '');
}

function read(file: string): Document {
  const document = parseDocument(readFileSync(file, 'utf8'), { keepSourceTokens: false });
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new CliError(
      exitCodes.failed,
      `${file} is not a kubeconfig: ${document.errors[0]?.message.split('\n')[0] ?? 'it is not a mapping'}`,
      'mend the file, or name another with --kubeconfig',
    );
  }
  return document;
}

async function edit<T>(file: string, change: (document: Document) => T): Promise<T> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const unlock = await lockFile(`${file}.lock`, { limitMs: 5_000, busy: `${file} is locked by another program` });
  try {
    const exists = existsSync(file);
    const document = exists ? read(file) : parseDocument('apiVersion: v1\nkind: Config\n');
    if (document.contents === null)
      document.contents = document.createNode({ apiVersion: 'v1', kind: 'Config' }) as never;
    const result = change(document);
    if (exists) copyFileSync(file, `${file}.bak`);
    await save(file, document.toString({ lineWidth: 0 }));
    return result;
  } finally {
    unlock();
  }
}

async function save(file: string, text: string): Promise<void> {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0o600;
  try {
    await writeFileAtomic(file, text, { mode: mode & 0o777 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    // A file that is mounted by itself cannot be renamed over.
    if (code === 'EBUSY' || code === 'EXDEV') return writeFileSync(file, text);
    throw new CliError(
      exitCodes.failed,
      `cannot write ${file} (${code})`,
      'check the permissions, or name another file with --kubeconfig',
    );
  }
}

function listOf(document: Document, name: string): YAMLSeq | undefined {
  const list = document.get(name);
  return isSeq(list) ? list : undefined;
}

function find(document: Document, list: string, name: string): YAMLMap | undefined {
  return listOf(document, list)?.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === name);
}

function put(
  document: Document,
  list: string,
  stanza: { readonly name: string; readonly [field: string]: unknown },
): void {
  const items = listOf(document, list);
  const node = document.createNode(stanza);
  if (!items) document.set(list, document.createNode([stanza]));
  else {
    const index = items.items.findIndex((item) => isMap(item) && item.get('name') === stanza.name);
    if (index < 0) items.add(node);
    else items.items[index] = node;
    // An empty list is often written `[]`; what follows should read like the rest.
    items.flow = false;
  }
}

function drop(document: Document, list: string, name: string): void {
  const items = listOf(document, list);
  if (items) items.items = items.items.filter((item) => !(isMap(item) && item.get('name') === name));
}

const hasContext = (document: Document, name: string): boolean => find(document, 'contexts', name) !== undefined;

function serverOf(document: Document, name: string): string {
  const address = find(document, 'clusters', name)?.getIn(['cluster', 'server']);
  return typeof address === 'string' ? address : '';
}

/** Names whose cluster address has the form of our proxy. */
function ours(document: Document): readonly string[] {
  const items = listOf(document, 'clusters')?.items ?? [];
  const names = items.filter((item): item is YAMLMap => isMap(item)).map((item) => String(item.get('name')));
  return names.filter((name) => /\/api\/proxy\/[0-9a-f-]{36}$/.test(serverOf(document, name)));
}

function refuseForeign(document: Document, name: string, file: string): void {
  const there = ['clusters', 'users', 'contexts'].some((list) => find(document, list, name) !== undefined);
  if (!there || ours(document).includes(name)) return;
  throw new CliError(
    exitCodes.conflict,
    `${file} already has a '${name}' that is not Clustral's`,
    'choose another name with --context-name, or overwrite it with --force',
  );
}

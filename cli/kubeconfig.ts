/**
 * Kubeconfig files, edited with care: found by kubectl's rules, locked as client-go locks them, written beside and renamed, one `.bak` kept. A stanza of the
 * same name that is not ours is never overwritten without `--force` (ID-13).
 */
import { isUtf8 } from 'node:buffer';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { CliError, exitCodes } from './failure.ts';
import {
  currentOf,
  foreignOwner,
  isTaken,
  ourContexts,
  parseKubeconfig,
  type Entry,
  type Kubeconfig,
  type OurContext,
  type Plugin,
} from './kubeconfig-document.ts';
import { mendPlugin, putEntry, removeContext, setCurrent } from './kubeconfig-edit.ts';
import { withLock } from './lock.ts';
import { visible } from './text.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The files that kubectl would read, in its order: the flag's, else those of `KUBECONFIG`, else `~/.kube/config`. */
export function kubeconfigFiles(flag: string | undefined, env: Environment): readonly string[] {
  if (flag !== undefined) return [flag];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? [...new Set(listed)] : [join(env['HOME'] || homedir(), '.kube', 'config')];
}

/** What `writeEntries` did. */
export type Written = {
  /** Names of the contexts by the file that they went to. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** The context that was current before; undefined when there was none. */
  readonly previousContext: string | undefined;
};

/** Where an entry of that name goes. Throws exit code 6 when a stanza of the name is there that is not of that server. */
export function placeFor(files: readonly string[], wanted: { name: string; server: string; force: boolean }): string {
  // kubectl's rule: where the stanza lives, else the first file that exists, else the last one named.
  const holder = files.find((file) => existsSync(file) && isTaken(read(file), wanted.name));
  const file = holder ?? files.find((path) => existsSync(path)) ?? files.at(-1) ?? '';
  if (!wanted.force && existsSync(file)) refuseForeign(read(file), wanted, file);
  return file;
}

/** Writes cluster, user and context of each entry, and makes the named context current. */
export async function writeEntries(
  files: readonly string[],
  entries: readonly Entry[],
  options: { current?: string | undefined; force: boolean },
): Promise<Written> {
  const wantedOf = ({ name, cluster }: Entry) => ({
    name,
    server: new URL(cluster.server).origin,
    force: options.force,
  });
  const placed = Map.groupBy(entries, (entry) => placeFor(files, wantedOf(entry)));
  const previousContext = currentContext(files);
  const { current } = options;
  // kubectl takes the current context from the first file that names one.
  const currentFile =
    files.find((path) => existsSync(path) && currentOf(read(path)) !== undefined) ?? [...placed.keys()][0];
  const withCurrent = (file: string, config: Kubeconfig): Kubeconfig =>
    current === undefined || file !== currentFile ? config : setCurrent(config, current);
  for (const [file, those] of placed)
    await edit(file, (config) => {
      const filled = those.reduce((before, entry) => {
        // Looked at again: somebody may have taken the name meanwhile.
        if (!options.force) refuseForeign(before, wantedOf(entry), file);
        return putEntry(before, entry);
      }, config);
      return withCurrent(file, filled);
    });
  if (currentFile !== undefined && !placed.has(currentFile))
    await edit(currentFile, (config) => withCurrent(currentFile, config));
  return { files: new Map([...placed].map(([file, those]) => [file, those.map(({ name }) => name)])), previousContext };
}

/** The text of a kubeconfig that holds these entries alone. */
export function textOfEntries(entries: readonly Entry[], current: string | undefined): string {
  const filled = entries.reduce(putEntry, parsed('', 'a new kubeconfig'));
  return (current === undefined ? filled : setCurrent(filled, current)).text;
}

/** Removes every context of ours that `matches` accepts. Returns the removed names. */
export async function removeContexts(
  files: readonly string[],
  matches: (context: OurContext) => boolean,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const file of files) {
    if (!existsSync(file) || !ourContexts(read(file)).some(matches)) continue;
    await edit(file, (config) => {
      const names = ourContexts(config)
        .filter(matches)
        .map(({ name }) => name);
      removed.push(...names);
      return names.reduce(removeContext, config);
    });
  }
  return removed;
}

/** Has exec plugins of ours called as `mended` says; undefined leaves one alone. Returns the names of the contexts that changed. */
export async function mendPlugins(
  files: readonly string[],
  mended: (context: OurContext) => Plugin | undefined,
): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const file of files.filter((path) => existsSync(path))) {
    if (!ourContexts(read(file)).some((context) => mended(context) !== undefined)) continue;
    await edit(file, (config) =>
      ourContexts(config).reduce((before, context) => {
        const plugin = mended(context);
        if (plugin === undefined || context.user === undefined) return before;
        changed.push(context.name);
        return mendPlugin(before, context.user, plugin);
      }, config),
    );
  }
  return changed;
}

/** Every context that goes through Clustral. */
export function contextsIn(files: readonly string[]): readonly OurContext[] {
  return files.filter((file) => existsSync(file)).flatMap((file) => ourContexts(read(file)));
}

/** The context that kubectl uses now. */
export function currentContext(files: readonly string[]): string | undefined {
  return files
    .filter((path) => existsSync(path))
    .map((file) => currentOf(read(file)))
    .find((name) => name !== undefined);
}

function refuseForeign(config: Kubeconfig, { name, server }: { name: string; server: string }, file: string): void {
  const owner = foreignOwner(config, name, server);
  if (owner === undefined) return;
  throw new CliError(
    exitCodes.conflict,
    `${visible(file)} already has a '${visible(name)}' ${visible(owner)}`,
    'choose another name with --context-name, or overwrite it with --force',
  );
}

function read(file: string): Kubeconfig {
  return parsed(textOf(file), file);
}

function textOf(file: string): string {
  try {
    const bytes = readFileSync(file);
    if (isUtf8(bytes)) return bytes.toString();
  } catch (cause) {
    throw new CliError(
      exitCodes.failed,
      `cannot read ${visible(file)} (${(cause as NodeJS.ErrnoException).code})`,
      'check the permissions, or name another file with --kubeconfig',
    );
  }
  // As text it would not be written back as it was.
  throw notKubeconfig(file, 'it is no text in UTF-8');
}

function parsed(text: string, file: string): Kubeconfig {
  const result = parseKubeconfig(text);
  if ('config' in result) return result.config;
  throw notKubeconfig(file, result.problem);
}

const notKubeconfig = (file: string, problem: string): CliError =>
  new CliError(
    exitCodes.failed,
    `${visible(file)} is not a kubeconfig: ${visible(problem)}`,
    'mend the file, or name another with --kubeconfig',
  );

async function edit(file: string, change: (config: Kubeconfig) => Kubeconfig): Promise<void> {
  const busy = `${visible(file)} is locked by another program`;
  // Loaded before the lock is taken: others may be waiting for it.
  await import('write-file-atomic');
  await withLock(`${file}.lock`, { limitMs: 10_000, busy }, async () => {
    const before = existsSync(file) ? textOf(file) : '';
    const after = change(parsed(before, file)).text;
    if (after === before) return;
    if (before !== '') await save(`${file}.bak`, before, 0o600);
    await save(file, after, (statSync(file, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777);
  });
}

async function save(file: string, text: string, mode: number): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic');
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, text, { mode });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    // A file that is mounted by itself cannot be renamed over.
    if (code === 'EBUSY' || code === 'EXDEV') return writeFileSync(file, text, { mode });
    throw new CliError(
      exitCodes.failed,
      `cannot write ${visible(file)} (${code})`,
      'check the permissions, or name another file with --kubeconfig',
    );
  }
}

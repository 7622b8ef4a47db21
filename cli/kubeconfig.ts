/**
 * Kubeconfig files, edited with care: found by kubectl's rules, locked as client-go locks them, written beside and renamed, one `.bak` kept. A stanza of the
 * same name that is not ours is never overwritten without `--force` (ID-13).
 */
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
  printKubeconfig,
  putEntry,
  removeContext,
  setCurrent,
  type Entry,
  type Kubeconfig,
  type OurContext,
} from './kubeconfig-document.ts';
import { withLock } from './lock.ts';
import { visible } from './text.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The files that kubectl would read, in its order: the flag's, else those of `KUBECONFIG`, else `~/.kube/config`. */
export function kubeconfigFiles(flag: string | undefined, env: Environment): readonly string[] {
  if (flag !== undefined) return [flag];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? [...new Set(listed)] : [join(env['HOME'] || homedir(), '.kube', 'config')];
}

/** What `writeEntry` did. */
export type Written = {
  readonly file: string;
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

/** Writes cluster, user and context of one name, and makes the context current if that is wanted. */
export async function writeEntry(
  files: readonly string[],
  entry: Entry,
  options: { setContext: boolean; force: boolean },
): Promise<Written> {
  const server = new URL(entry.cluster.server).origin;
  const wanted = { name: entry.name, server, force: options.force };
  const file = placeFor(files, wanted);
  const previousContext = currentContext(files);
  // kubectl takes the current context from the first file that names one.
  const currentFile = files.find((path) => existsSync(path) && currentOf(read(path)) !== undefined) ?? file;
  await edit(file, (document) => {
    if (!options.force) refuseForeign(document, wanted, file);
    putEntry(document, entry);
    if (options.setContext && currentFile === file) setCurrent(document, entry.name);
  });
  if (options.setContext && currentFile !== file)
    await edit(currentFile, (document) => setCurrent(document, entry.name));
  return { file, previousContext };
}

/** Removes every context of ours that `matches` accepts. Returns the removed names. */
export async function removeContexts(
  files: readonly string[],
  matches: (context: OurContext) => boolean,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const file of files) {
    if (!existsSync(file) || !ourContexts(read(file)).some(matches)) continue;
    await edit(file, (document) => {
      for (const { name } of ourContexts(document).filter(matches)) {
        removeContext(document, name);
        removed.push(name);
      }
    });
  }
  return removed;
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

function refuseForeign(document: Kubeconfig, { name, server }: { name: string; server: string }, file: string): void {
  const owner = foreignOwner(document, name, server);
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
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CliError(
      exitCodes.failed,
      `cannot read ${visible(file)} (${(cause as NodeJS.ErrnoException).code})`,
      'check the permissions, or name another file with --kubeconfig',
    );
  }
}

function parsed(text: string, file: string): Kubeconfig {
  const result = parseKubeconfig(text);
  if ('document' in result) return result.document;
  throw new CliError(
    exitCodes.failed,
    `${visible(file)} is not a kubeconfig: ${visible(result.problem)}`,
    'mend the file, or name another with --kubeconfig',
  );
}

async function edit(file: string, change: (document: Kubeconfig) => void): Promise<void> {
  const busy = `${visible(file)} is locked by another program`;
  await withLock(`${file}.lock`, { limitMs: 5_000, busy }, async () => {
    const before = existsSync(file) ? textOf(file) : '';
    const document = parsed(before, file);
    change(document);
    const after = printKubeconfig(document, before);
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

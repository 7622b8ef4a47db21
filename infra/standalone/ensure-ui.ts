/**
 * Has the dashboard's build stand ready before the product starts: built when there is none or when what it is made of has changed since,
 * by the content of the files and never by their times. A build that fails is told and leaves the earlier one where it is; the product
 * works without a dashboard.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const stamp = join('dist', '.sources');
/** What is beside the sources and not part of them. */
const foreign = /(?:^|\/)(?:node_modules|dist)(?:\/|$)|\.test\.tsx?$|(?:^|\/)testing\//;

export type EnsureUiOptions = {
  /** Folder of the dashboard, `ui` of this clone. */
  readonly ui: string;
  /** More files that its code is made of. */
  readonly beside: readonly string[];
  readonly build: () => { readonly ok: boolean; readonly said: string };
  readonly say: (line: string) => void;
};

/** Builds if it must. Gives false when there is no usable build. */
export function ensureUi(options: EnsureUiOptions): boolean {
  const wanted = sourcesHash([...sourceFiles(options.ui), ...options.beside]);
  const stampFile = join(options.ui, stamp);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return true;
  options.say('Building the dashboard (once, about 10 s) …');
  const { ok, said } = options.build();
  if (ok) {
    writeFileSync(stampFile, wanted);
    return true;
  }
  const isThere = existsSync(join(options.ui, 'dist', 'index.html'));
  options.say(`The dashboard could not be built${isThere ? ', an earlier build stays in use' : ''}: ${said.trim()}`);
  return isThere;
}

/** Every source below the folder, in the same order everywhere. */
export function sourceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !foreign.test(path.slice(folder.length)))
    .toSorted();
}

function sourcesHash(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

/** The dashboard of this clone: its own files, the schemas, and the versions of what it is built with. */
export function ensureUiOfClone(say: (line: string) => void): boolean {
  return ensureUi({
    ui: join(root, 'ui'),
    beside: [...sourceFiles(join(root, 'schemas')), join(root, 'package-lock.json')],
    build() {
      const { status, stderr } = spawnSync(process.execPath, [join(root, 'ui', 'build.ts')], {
        cwd: root,
        encoding: 'utf8',
      });
      return { ok: status === 0, said: stderr };
    },
    say,
  });
}

if (import.meta.main) ensureUiOfClone((line) => console.log(line));

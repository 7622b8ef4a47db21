/**
 * Keeps the cluster's objects in one JSON file, so that what a user made is still there after a restart. Written a
 * moment after the last change and whole: to a file beside it, flushed, then renamed over the old one.
 *
 * It may lose the changes of the last second; it never leaves half a file.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject, type LogLine } from './objects.ts';
import { resourceOfKind } from './resources.ts';
import type { Snapshot, Store } from './store.ts';

const format = 1;
const quietMs = 1_000;

/**
 * Fills an empty store from the file.
 * @returns whether there was a file
 * @throws Error naming the file when it cannot be used
 */
export async function loadState(store: Store, path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return false;
  store.restore(parseState(text, path), ({ apiVersion, kind }) => resourceOfKind(apiVersion, kind));
  return true;
}

/** Writes the store down a moment after each change; the answer writes what is left and ends it. */
export function keepState(store: Store, path: string, log: LogLine): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  const write = (): void => {
    timer = undefined;
    // One write at a time: two would rename each other's half-written file.
    writing = writing
      .then(() => writeState(store, path))
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        log('error', `the demo cluster could not write ${path}; changes since the last write are in memory only`, {
          reason,
        });
      });
  };
  const unlisten = store.onChange(() => {
    timer ??= setTimeout(write, quietMs);
  });
  return async () => {
    unlisten();
    clearTimeout(timer);
    write();
    await writing;
  };
}

async function writeState(store: Store, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify({ format, ...store.snapshot() }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

function parseState(text: string, path: string): Snapshot {
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is no JSON; delete it to start with a new demo cluster`, { cause });
  }
  if (!isJsonObject(state) || state['format'] !== format || !Array.isArray(state['objects']))
    throw new Error(`${path} is not a state file of this version; delete it to start with a new demo cluster`);
  return { revision: Number(state['revision']), objects: state['objects'] as Snapshot['objects'] };
}

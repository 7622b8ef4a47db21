/**
 * Files at rest in `~/.clustral`: folders 0700, files 0600 and made so, written beside and renamed so that a reader sees the old or the new one
 * and never half of it (ID-12). A symbolic link in place of a file is refused.
 */
import { constants, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliError, exitCodes } from './failure.ts';
import { visible } from './text.ts';

/** The JSON in a file, or undefined when there is none. Throws when the file cannot be read, is damaged or not of the wanted form. */
export function readJson<T>(path: string, isWanted: (json: unknown) => json is T): T | undefined {
  let text: string;
  try {
    // Node takes a number here; its types do not say so.
    const flag = (constants.O_RDONLY | constants.O_NOFOLLOW) as unknown as string;
    text = String(readFileSync(path, { flag }));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw linkRefused(path);
    throw new CliError(
      exitCodes.failed,
      `cannot read ${visible(path)} (${code})`,
      'check who owns the file and its permissions',
    );
  }
  const json = parsed(text);
  if (isWanted(json)) return json;
  throw new CliError(
    exitCodes.failed,
    `${visible(path)} is damaged: it is not what clustral wrote`,
    `remove the file, then sign in again: clustral login`,
  );
}

/** Writes JSON with mode 0600, all or nothing. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) throw linkRefused(path);
    await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(
      exitCodes.failed,
      `cannot write ${visible(path)} (${(cause as NodeJS.ErrnoException).code})`,
      'check the free space and the permissions of the folder',
    );
  }
}

/** Removes a file or folder if it is there, also one that another process is still writing into. */
export function remove(path: string): void {
  rmSync(path, { force: true, recursive: true, maxRetries: 5, retryDelay: 20 });
}

/** True for a JSON object whose named fields are texts. */
export function hasTexts(json: unknown, fields: readonly string[]): boolean {
  return (
    typeof json === 'object' && json !== null && fields.every((name) => typeof Reflect.get(json, name) === 'string')
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Torn or edited by hand: no form that a caller wants has this value.
    return undefined;
  }
}

const linkRefused = (path: string): CliError =>
  new CliError(
    exitCodes.failed,
    `${visible(path)} is a symbolic link, which is refused for files that hold tokens`,
    'remove it',
  );

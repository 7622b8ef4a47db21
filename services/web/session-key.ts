/**
 * The key that seals tokens. In production it is a file of its own (`WEB_SESSION_KEY_PATH`), apart from the folder it protects; without
 * one, a key is made in the folder at the first start, which protects copies of the database alone.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '@clustral/kernel/config.ts';
import { newKey, parseKeys } from './sealed.ts';

/** The keys, the one that seals first. Throws `ConfigurationError`. */
export function readSessionKeys(path: string | undefined, folder: string): ReturnType<typeof parseKeys> {
  const file = path ?? makeKey(folder);
  try {
    return parseKeys(readFileSync(file, 'utf8'));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ConfigurationError([
      `WEB_SESSION_KEY_PATH: ${file}: ${code === undefined ? message : `cannot be read (${code})`}`,
    ]);
  }
}

/** Written beside and linked: there is a whole key under this name or none, and the first of two processes wins. */
function makeKey(folder: string): string {
  const file = join(folder, 'session.key');
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, newKey(), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  } finally {
    unlinkSync(draft);
  }
  return file;
}

/**
 * Names that the server knows, on disk for a minute, so that a key is answered at once and without it. Older names are still offered while newer
 * ones are fetched. Kept beside the account's other caches: signing out takes them away.
 */
import { join } from 'node:path';
import { readJson, writeJson } from '../files.ts';
import { cacheFolder, type Account, type Profile } from '../profile.ts';

/** Something that may be typed, and a word about it. */
export type Named = { readonly value: string; readonly text: string };

export type Names = {
  readonly clusters: readonly Named[];
  readonly roles: readonly Named[];
  /** Requests that wait for a decision. */
  readonly pending: readonly Named[];
  /** Requests whose access is running. */
  readonly granted: readonly Named[];
};

export const noNames: Names = { clusters: [], roles: [], pending: [], granted: [] };

const keptForMs = 60_000;

type Place = { readonly profile: Profile; readonly account: Account; readonly now: Date };

/** The names as last fetched, and whether they are due to be fetched again. */
export function readNames({ profile, account, now }: Place): { names: Names; isDue: boolean } {
  try {
    const kept = readJson(fileOf(profile, account), isKept);
    if (kept === undefined) return { names: noNames, isDue: true };
    const age = now.getTime() - Date.parse(kept.at);
    return { names: kept.names, isDue: !(age >= 0 && age < keptForMs) };
  } catch {
    // A cache: damaged is as good as missing, and is written again.
    return { names: noNames, isDue: true };
  }
}

/** Keeps freshly fetched names. */
export function writeNames({ profile, account, now }: Place, names: Names): Promise<void> {
  return writeJson(fileOf(profile, account), { at: now.toISOString(), names });
}

const fileOf = (profile: Profile, account: Account): string => join(cacheFolder(profile, account), 'names.json');

function isKept(json: unknown): json is { at: string; names: Names } {
  const { at, names } = (json ?? {}) as Record<string, unknown>;
  if (typeof at !== 'string' || typeof names !== 'object' || names === null) return false;
  return Object.keys(noNames).every((key) => {
    const list: unknown = Reflect.get(names, key);
    return Array.isArray(list) && list.every(isNamed);
  });
}

function isNamed(json: unknown): json is Named {
  const { value, text } = (json ?? {}) as Record<string, unknown>;
  return typeof value === 'string' && typeof text === 'string';
}

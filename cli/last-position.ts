/**
 * The log position of the last answer, kept for the next command, so that `roles create` and then `roles list` agree although read models follow the
 * log by moments. Young ones only: a log that was made anew starts from the beginning.
 */
import { join } from 'node:path';
import { hasTexts, readJson, writeJson } from './files.ts';
import { cacheFolder, type Account, type Profile } from './profile.ts';

export type Place = { readonly profile: Profile; readonly account: Account; readonly now: () => Date };

type Kept = { readonly position: string; readonly at: string };

const keptForMs = 30_000;

/** The position to ask from, a decimal text, or undefined. */
export function lastPosition(place: Place): string | undefined {
  try {
    const kept = readJson(file(place), isKept);
    const age = kept === undefined ? -1 : place.now().getTime() - Date.parse(kept.at);
    return age >= 0 && age < keptForMs ? kept?.position : undefined;
  } catch {
    // A cache: damaged is as good as missing, and the next command writes it again.
    return undefined;
  }
}

/** Keeps the position for the next command. */
export function rememberPosition(place: Place, position: string): Promise<void> {
  return writeJson(file(place), { position, at: place.now().toISOString() } satisfies Kept);
}

const file = ({ profile, account }: Place): string => join(cacheFolder(profile, account), 'position.json');

function isKept(json: unknown): json is Kept {
  return hasTexts(json, ['position', 'at']) && /^\d{1,19}$/.test((json as Kept).position);
}

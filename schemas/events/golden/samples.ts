/**
 * The golden samples: one stored fact of every version of every type ever shipped, as files beside this one. They are read
 * by tests only, which run on Node; the rest of the package knows no file. A sample is added, never changed.
 */
// oxlint-disable-next-line no-restricted-imports -- tests read files
import { readdirSync, readFileSync } from 'node:fs';
import type { Recorded } from '../envelope.ts';

export type Sample = { readonly name: string; readonly fact: Recorded };

/** All samples in log order. Together they tell one story, from the first take-over to the end of a cluster. */
export function goldenSamples(): readonly Sample[] {
  const folder = new URL('.', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, fact: recorded(readFileSync(new URL(name, folder), 'utf8')) }))
    .toSorted((one, other) => Number(one.fact.position - other.fact.position));
}

function recorded(json: string): Recorded {
  const stored = JSON.parse(json) as Omit<Recorded, 'position' | 'recordedAt'> & {
    position: string;
    recordedAt: string;
  };
  return { ...stored, position: BigInt(stored.position), recordedAt: new Date(stored.recordedAt) };
}

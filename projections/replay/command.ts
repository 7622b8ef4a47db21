/**
 * `npm run replay -- verify` and `npm run replay -- rebuild NAME|--all`: words in, a report out. It asks the log and the read
 * models of a running installation and needs nobody to stop.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, seconds, text, type Environment } from '@clustral/kernel/config.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { allModels } from '../all-models.ts';
import { openReader, openReadStore, openReadStoreBeside, placeOf } from '../place.ts';
import { rebuild, verify, type ReplayReport } from './replay.ts';

const names = allModels.map(({ name }) => name);
const tenYearsSeconds = 3_650 * 86_400;
const shown = 20;
const openMs = 5_000;

const configuration = {
  EVENTSTORE_CONNECTION_STRING: text(),
  CLUSTRAL_DATA: text(),
  MONGO_CONNECTION_STRING: text().optional(),
  MONGO_DATABASE_NAME: text().default('clustral'),
  PROXY_RETENTION: seconds('PROXY_RETENTION', tenYearsSeconds).default(90 * 86_400),
};

const usage = `usage: npm run replay -- verify [NAME …]           read models equal to what the log makes of them?
       npm run replay -- rebuild NAME …|--all     build them anew beside, compare, switch
NAME: ${names.join(', ')}`;

/** What the words ask for; undefined when they ask for nothing that there is. */
export function parseReplay(
  words: readonly string[],
): { readonly action: 'verify' | 'rebuild'; readonly compared: readonly string[] } | undefined {
  const [action, ...rest] = words;
  const all = rest.includes('--all');
  const compared = rest.filter((word) => word !== '--all');
  if (action !== 'verify' && action !== 'rebuild') return undefined;
  if (compared.some((name) => !names.includes(name)) || (all && compared.length > 0)) return undefined;
  if (action === 'rebuild' && !all && compared.length === 0) return undefined;
  return { action, compared };
}

/**
 * Runs it. Gives the exit code: 0, 1 when read models are not what the log makes of them or closed days are not as they were
 * closed, 2 for words that mean nothing.
 */
export async function replayCommand(
  words: readonly string[],
  environment: Environment,
  { log, print }: { readonly log: Log; readonly print: (line: string) => void },
): Promise<number> {
  const asked = parseReplay(words);
  if (asked === undefined) {
    print(usage);
    return 2;
  }
  const config = readConfig(environment, configuration);
  const place = placeOf(config);
  await using opened = new AsyncDisposableStack();
  const eventStore = opened.adopt(
    connectEventStore({ connectionString: config.EVENTSTORE_CONNECTION_STRING, log }),
    (store) => store.close(),
  );
  await eventStore.ping(openMs);
  const live = opened.adopt(await openReader(place), (reader) => reader.close());
  const isVerify = asked.action === 'verify';
  const beside = isVerify ? { folder: await mkdtemp(join(tmpdir(), 'clustral-verify-')) } : undefined;
  if (beside !== undefined) opened.defer(() => rm(beside.folder, { recursive: true, force: true }));
  const built = opened.adopt(await (beside ? openReadStore(beside) : openReadStoreBeside(place)), (store) =>
    store.close(),
  );
  const begun = performance.now();
  const options = { eventStore, live, built, models: allModels, compared: asked.compared, now: () => new Date() };
  const report = await (isVerify ? verify : rebuild)({ ...options, keepSeconds: config.PROXY_RETENTION });
  for (const line of reportLines(report, performance.now() - begun)) print(line);
  if (!isVerify) print('Readers see what was built.');
  const isSound = report.days.problems.length === 0;
  return isSound && (!isVerify || report.collections.every(({ differences }) => differences === 0)) ? 0 : 1;
}

/** The report for people: one line per collection, the first differences by name, and how many there are in all. */
export function reportLines(
  { position, facts, collections, differences, days }: ReplayReport,
  ms: number,
): readonly string[] {
  const all = collections.reduce((sum, one) => sum + one.differences, 0);
  const width = Math.max(...collections.map(({ name }) => name.length));
  return [
    `${facts} facts up to position ${position} in ${(ms / 1000).toFixed(1)} s`,
    ...collections.map(
      (one) => `  ${one.name.padEnd(width)}  ${one.documents} documents, ${one.differences} different`,
    ),
    ...differences
      .slice(0, shown)
      .map(
        ({ collection, id, kind, fields }) =>
          `  ${kind}: ${collection.name} ${id}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`,
      ),
    ...(all > shown ? [`  and ${all - shown} more`] : []),
    ...dayLines(days),
    `${all} differences between the read models and the log`,
  ];
}

function dayLines({ closed, proven, deleted, problems }: ReplayReport['days']): readonly string[] {
  if (closed === 0) return [];
  return [
    `${closed} closed days of proxied requests: ${proven} as they were closed, ${deleted} deleted, ${problems.length} not as they were`,
    ...problems.slice(0, shown).map(({ stream, kind }) => `  ${dayProblems[kind]}: ${stream}`),
    ...(problems.length > shown ? [`  and ${problems.length - shown} more`] : []),
  ];
}

const dayProblems = {
  missing: 'records are gone, and nobody said that they were deleted',
  changed: 'records are not those that were closed',
  added: 'records came after the day was closed',
} as const;

/**
 * One flipped bit in the files of a log, and what becomes of it: the log is refused with file and byte, or everything that
 * was acknowledged reads back as it was written, by the log and by each stream. Used by a short round of the tests and a long
 * one of the bench.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DamagedLog } from '../damage.ts';
import { openEventLog, type EventLog } from '../event-log.ts';
import { append, changed, everything } from './changes.ts';

export type Specimen = {
  readonly folder: string;
  readonly contents: readonly string[];
  readonly files: readonly Target[];
};
export type Target = { readonly name: string; readonly bytes: number };
export type Flip = { readonly name: string; readonly offset: number; readonly bit: number };

const options = { note: () => undefined, now: () => 1_780_000_000_000 };

/** A log with some of everything, as a killed process leaves it, or as a clean stop does. */
export async function makeSpecimen(folder: string, how: 'killed' | 'stopped'): Promise<Specimen> {
  const log = openEventLog({ ...options, folder: join(folder, 'live'), fatal: fail });
  for (let n = 0; n < 60; n += 1)
    await append(log, `stream-${n % 7}`, {
      data: [JSON.stringify({ n, fill: 'x'.repeat(n * 9) })],
      type: `type-${n % 4}`,
    });
  await append(log, 'big', { data: [Buffer.alloc(9_000, 7)] });
  await append(log, '$$stream-1', { data: ['{"$maxCount":3}'] });
  await changed((queued) => log.change(queued), { kind: 'delete', stream: 'stream-2', expected: { kind: 'any' } });
  await changed((queued) => log.change(queued), { kind: 'tombstone', stream: 'stream-3', expected: { kind: 'any' } });
  await log.scavenge();
  for (let n = 0; n < 10; n += 1)
    await append(log, `stream-${n % 7 === 3 ? 0 : n % 7}`, { data: [JSON.stringify({ late: n })] });
  const contents = contentsOf(log);
  const copy = join(folder, how);
  mkdirSync(copy, { recursive: true });
  if (how === 'stopped') await log.close();
  const names = how === 'stopped' ? ['log.db', 'log.head'] : ['log.db', 'log.db-wal', 'log.head'];
  for (const name of names) cpSync(join(folder, 'live', name), join(copy, name));
  await log.close();
  rmSync(join(folder, 'live'), { recursive: true });
  return { folder: copy, contents, files: names.map((name) => ({ name, bytes: statSync(join(copy, name)).size })) };
}

export type Verdict = 'refused' | 'unharmed';

/** Flips a bit in a copy and opens it. Throws when something was lost or changed in silence, or refused without file and byte. */
export async function judge(specimen: Specimen, { name, offset, bit }: Flip, work: string): Promise<Verdict> {
  rmSync(work, { recursive: true, force: true });
  cpSync(specimen.folder, work, { recursive: true });
  const path = join(work, name);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ (1 << bit), offset);
  writeFileSync(path, bytes);
  let log: EventLog;
  try {
    log = openEventLog({ ...options, folder: work, fatal: fail });
  } catch (error) {
    if (error instanceof DamagedLog && /log\.\S+/.test(error.message) && /\bbyte \d+/.test(error.message))
      return 'refused';
    throw new Error(`bit ${bit} of byte ${offset} of ${name} was refused without saying where: ${String(error)}`, {
      cause: error,
    });
  }
  try {
    const found = contentsOf(log);
    if (JSON.stringify(found) !== JSON.stringify(specimen.contents)) {
      throw new Error(`bit ${bit} of byte ${offset} of ${name} changed what is read, and nothing was said`);
    }
    return 'unharmed';
  } finally {
    await log.close();
  }
}

/** All events by position, and again by stream, which goes through the index. */
function contentsOf(log: EventLog): readonly string[] {
  const streams = ['big', '$$stream-1', '$$stream-2', ...[0, 1, 2, 3, 4, 5, 6].map((n) => `stream-${n}`)];
  return [...everything(log), ...streams.flatMap((name) => streamOf(log, name))];
}

function streamOf(log: EventLog, name: string): readonly string[] {
  const stream = log.stream(name);
  if (stream.kind !== 'readable') return [`${name} ${stream.kind}`];
  const { events } = log.reader.streamForwards(stream.id, { from: stream.first, to: stream.last });
  return [
    `${name} from ${stream.first}`,
    ...events.map(
      ({ revision, type, id, data }) => `${revision} ${type} ${id.toString('hex')} ${data.toString('base64')}`,
    ),
  ];
}

function fail(error: Error): never {
  throw error;
}

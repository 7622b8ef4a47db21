/**
 * Writes every event as a line of JSON, in the order of the log: from the folder of a store, running or not, or from any
 * server that the official client reaches. Where streams were scavenged, what is left of them is written.
 */
import { existsSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { asDamage } from '../damage.ts';
import { headFile, logFile, openToRead } from '../database.ts';
import { readHead } from '../head-file.ts';
import { inspectDatabase } from '../integrity.ts';
import { Reader } from '../reader.ts';
import type { StoredEvent } from '../records.ts';
import { StreamIndex } from '../stream-index.ts';
import { toLine } from './dump-line.ts';
import { RawClient } from './raw-client.ts';

/** `from` is a folder or a connection string. Resolves with a sentence that says how much was written. */
export async function dump(from: string, out: Writable): Promise<string> {
  let count = 0;
  for await (const event of isFolder(from) ? eventsOfFolder(from) : eventsOfServer(from)) {
    count += 1;
    if (!out.write(`${toLine(event)}\n`)) await once(out, 'drain');
  }
  return `dumped ${count} events`;
}

function isFolder(from: string): boolean {
  return existsSync(from) && statSync(from).isDirectory();
}

/** Each event is checked as it is read, as a running store does it. */
async function* eventsOfFolder(folder: string): AsyncGenerator<StoredEvent> {
  const path = join(folder, logFile);
  if (!existsSync(path)) throw new Error(`There is no log in ${folder}.`);
  const database = openToRead(path);
  try {
    const { end } = inspectDatabase(database, readHead(join(folder, headFile)));
    const reader = new Reader(database, new StreamIndex(database));
    let next = 1;
    while (next <= end.position) {
      const page = reader.all({ from: next, to: end.position });
      yield* page.events;
      next = page.next;
    }
  } catch (error) {
    throw asDamage(error, path);
  } finally {
    database.close();
  }
}

async function* eventsOfServer(connectionString: string): AsyncGenerator<StoredEvent> {
  const client = new RawClient(connectionString);
  try {
    yield* client.all();
  } finally {
    await client.close();
  }
}

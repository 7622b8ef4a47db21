/** The thread of `BackgroundCheck`: reads everything once, in slices with pauses, says what it found, and ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { FromCheck } from './background-check.ts';
import { asDamage } from './damage.ts';
import { openToRead } from './database.ts';
import { checkEverything } from './integrity.ts';

const pauseMs = 10;

if (parentPort !== null) await run(parentPort, (workerData as { path: string }).path);

async function run(port: MessagePort, path: string): Promise<void> {
  const tell = (message: FromCheck) => port.postMessage(message);
  const database = openToRead(path);
  try {
    await checkEverything(database, async (position) => {
      tell({ kind: 'progress', position });
      await sleep(pauseMs);
    });
  } catch (error) {
    const meaning = asDamage(error, path);
    if (!(meaning instanceof Error)) throw error;
    tell({ kind: 'damage', message: meaning.message });
  } finally {
    database.close();
  }
}

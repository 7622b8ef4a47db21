/**
 * Runs the embedded event store as a process of its own: `node main.ts <folder> <socket>`. It says `listening` with the
 * connection string on stdout, stops on SIGTERM or SIGINT, and ends with 1 and one sentence on stderr when it cannot go on.
 */
import { startEventStore } from './start.ts';

if (import.meta.main) await main(process.argv.slice(2));

async function main([folder, socketPath]: readonly string[]): Promise<void> {
  if (folder === undefined || socketPath === undefined) return fail('usage: node main.ts <folder> <socket>');
  try {
    const store = await startEventStore({ folder, socketPath, note: ({ message }) => console.error(message) });
    console.log(`listening ${store.connectionString}`);
    const stop = () => void store.stop().then(() => process.exit(0));
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    fail((await store.exited).message);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(sentence: string): void {
  console.error(sentence);
  process.exit(1);
}

/**
 * The embedded event store as a process of its own, and the tools for its files:
 *
 *   main.ts --data DIR --listen HOST:PORT [--tls-cert FILE --tls-key FILE]   serve; `listening HOST:PORT` when ready
 *   main.ts --data DIR --socket PATH                                         the same on a unix socket
 *           [--max-append-bytes N] [--metrics HOST:PORT]
 *   main.ts backup --data DIR --to DIR        a copy that can be restored, also of a running store
 *   main.ts restore --from DIR --data DIR     into a folder that holds no log
 *   main.ts verify --data DIR                 reads and checks every byte that matters
 *   main.ts dump --from DIR|CONNECTION        every event as a line of JSON, on stdout
 *   main.ts load --to CONNECTION              such lines from stdin into any EventStoreDB, with their revisions
 *
 * With TLS the password of the user `admin` comes from EVENT_STORE_PASSWORD (or EVENT_STORE_PASSWORD_FILE); without it the store
 * listens on loopback only. SIGTERM and SIGINT stop it cleanly. What cannot go on ends with 1 and one sentence on stderr.
 */
import { backUp, restore } from './tools/backup.ts';
import { commandOf, type Command } from './tools/command-line.ts';
import { runStore } from './tools/standalone.ts';
import { verify } from './tools/verify.ts';

if (import.meta.main) await main();

async function main(): Promise<void> {
  const say = (line: string) => console.log(line);
  const warn = (line: string) => console.error(line);
  try {
    await run(commandOf(process.argv.slice(2), process.env), { say, warn });
  } catch (error) {
    warn(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

type Voices = { readonly say: (line: string) => void; readonly warn: (line: string) => void };

async function run(command: Command, { say, warn }: Voices): Promise<void> {
  switch (command.kind) {
    case 'serve':
      return runStore(command, { say, warn });
    case 'backup':
      return say(await backUp(command));
    case 'restore':
      return say(await restore(command));
    case 'verify':
      return say(await verify(command.data));
    // These two need the client of EventStoreDB, which takes longer to load than a store to start.
    case 'dump': {
      const { dump } = await import('./tools/dump.ts');
      return warn(await dump(command.from, process.stdout));
    }
    case 'load': {
      const { load } = await import('./tools/load.ts');
      return warn(await load(command.to, process.stdin));
    }
    default:
      return command satisfies never;
  }
}

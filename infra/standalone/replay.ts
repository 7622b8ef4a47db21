/**
 * `npm run replay`: the read models against the log, for the installation of this clone or for the one that the environment names.
 * It only finds them; what is done with them is the projections' business.
 */
import { join, resolve } from 'node:path';
import { createLog } from '@clustral/kernel/log.ts';
import { replayCommand } from '@clustral/projections/replay/command.ts';
import { eventStoreSocket } from './environment.ts';

const dataFolder = resolve(process.env['CLUSTRAL_DATA'] ?? join(import.meta.dirname, '..', '..', '.data'));
const environment = {
  EVENTSTORE_CONNECTION_STRING: `unix:${eventStoreSocket(dataFolder)}`,
  ...process.env,
  CLUSTRAL_DATA: dataFolder,
};
const print = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  process.exitCode = await replayCommand(process.argv.slice(2), environment, {
    log: createLog('replay', 'warn'),
    print,
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

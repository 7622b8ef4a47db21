/**
 * The entry of every process that `npm start` makes: it is told over the process channel which parts to run and with which
 * environment, starts them in order and runs them as one. It ends when the supervisor ends, so that a killed supervisor leaves nothing
 * behind.
 */
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { partLoaders, type PartName } from './parts.ts';

/** What the supervisor sends, once. */
export type Assignment = {
  readonly name: string;
  readonly parts: readonly { readonly name: PartName; readonly environment: Environment }[];
  /** True when others depend on it: it is ended after them, the first started last. */
  readonly lasting: boolean;
};

async function startParts(assignment: Assignment, log: Log): Promise<Running> {
  const started: Running[] = [];
  const stop = async (): Promise<void> => {
    for (const part of started.reverse()) await part.stop();
  };
  try {
    for (const { name, environment } of assignment.parts) {
      const start = await partLoaders[name]();
      started.push(await start(environment, log.child({ part: name })));
    }
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { stop };
}

if (import.meta.main) {
  const { promise, resolve } = Promise.withResolvers<Assignment>();
  process.once('message', (message) => resolve(message as Assignment));
  // Without a supervisor there is nobody to say what to run.
  process.once('disconnect', () => process.exit(1));
  const assignment = await promise;
  process.removeAllListeners('disconnect');
  process.title = `clustral ${assignment.name}`;
  const log = createLog(assignment.name, process.env['LOG_LEVEL'] ?? 'info');
  await runProcess(log, () => startParts(assignment, log));
}

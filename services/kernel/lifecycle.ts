/**
 * The life of a process: start, say `ready`, stop once on SIGTERM, SIGINT or when the supervisor is gone, and end with a code
 * that says how it went. A clean stop has a limit; a second signal ends at once. An error nobody foresaw ends the process:
 * state that may be wrong is not worked with (F-40).
 */
import { silence, type Log } from './log.ts';

/** Something that was started: `stop` ends it within its own limits and releases ports and files. */
export type Running = { stop(): Promise<void> };

/** What a supervisor is told over the process channel. */
export type LifecycleMessage = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly message: string };

const stopLimitMs = 4_500;

/** Starts the given part as this process's work and stays until it is told to stop. Never resolves with the process alive. */
export async function runProcess(log: Log, start: () => Promise<Running>): Promise<void> {
  process.on('unhandledRejection', (cause) => fail(log, 'a promise was rejected and nobody waited for it', cause));
  process.on('uncaughtException', (cause) => fail(log, 'an error was thrown and nobody caught it', cause));
  const asked = stopRequest(log);
  try {
    const starting = start();
    const running = await Promise.race([starting, asked.then(() => undefined)]);
    if (running === undefined) {
      // Told to stop before it was up: what was opened so far goes with the process.
      log.info('stopped while starting');
      process.exit(0);
    }
    tellSupervisor({ kind: 'ready' });
    log.info('ready');
    const reason = await asked;
    log.info({ reason }, 'stopping');
    await withLimit(running.stop());
    process.exit(0);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    tellSupervisor({ kind: 'failed', message });
    log.fatal({ err: cause }, message);
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 100).unref();
  }
}

function stopRequest(log: Log): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let asked = false;
  const ask = (reason: string) => () => {
    if (asked && reason !== 'supervisor gone') process.exit(1);
    asked = true;
    resolve(reason);
  };
  process.on('SIGTERM', ask('SIGTERM'));
  process.on('SIGINT', ask('SIGINT'));
  if (process.send) {
    const alone = (): void => {
      // It also read what this process logs.
      silence(log);
      ask('supervisor gone')();
    };
    process.on('disconnect', alone);
    // It may have gone while this process was still loading, and nobody heard.
    if (!process.connected) alone();
  }
  return promise;
}

async function withLimit(stopped: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`the stop took longer than ${stopLimitMs} ms`)), stopLimitMs);
  await Promise.race([stopped, promise]).finally(() => clearTimeout(timer));
}

function tellSupervisor(message: LifecycleMessage): void {
  // The supervisor may be gone already, which is not worth an error.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function fail(log: Log, message: string, cause: unknown): void {
  log.fatal({ err: cause }, message);
  process.exit(1);
}

/**
 * Logs: one JSON line per entry on stdout, through pino. It refuses secrets: the paths below are cut out whatever is logged,
 * and nobody logs a header map or a token.
 */
import { pino, type Logger } from 'pino';

export type Log = Logger;

const secretPaths = [
  'authorization',
  'cookie',
  'token',
  'password',
  'secret',
  'bootstrapToken',
  'privateKey',
  'internalToken',
];

/** A log for one service. `level` is a pino level (`info` by default; `silent` for tests). */
export function createLog(service: string, level = 'info'): Log {
  return pino({
    level,
    base: { service },
    messageKey: 'msg',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secretPaths.flatMap((path) => [path, `*.${path}`]), censor: '[removed]' },
  });
}

type Sink = Record<'write' | 'flush' | 'flushSync' | 'end' | 'destroy', (text?: string) => void>;

// Shared by a log and its children.
const sinkOf = (log: Log): Sink =>
  (log as unknown as { readonly [pino.symbols.streamSym]: Sink })[pino.symbols.streamSym];

/**
 * Writes whole lines of a log's own form, each with its line end, where the log's entries go and in order with them. Past
 * `process.stdout`, whose error nobody would catch when the reader is gone.
 */
export function writeLines(log: Log, lines: string): void {
  sinkOf(log).write(lines);
}

/**
 * Drops all that the log still has to say, for a process whose reader is gone: at the end, and at a fatal entry, pino would try to get it
 * through the broken pipe for ever, and the process would never end.
 */
export function silence(log: Log): void {
  const nothing = (): void => undefined;
  Object.assign(sinkOf(log), { write: nothing, flush: nothing, flushSync: nothing, end: nothing, destroy: nothing });
}

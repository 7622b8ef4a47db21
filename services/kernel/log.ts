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

/**
 * Writes whole lines of a log's own form, each with its line end, where the log's entries go and in order with them. Past
 * `process.stdout`, whose error nobody would catch when the reader is gone.
 */
export function writeLines(log: Log, lines: string): void {
  const bindings = log as unknown as { readonly [pino.symbols.streamSym]: { write(text: string): void } };
  bindings[pino.symbols.streamSym].write(lines);
}

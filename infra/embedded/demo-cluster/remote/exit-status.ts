/**
 * How the end of a program is told on the error channel since version 4 of the protocol: a Status whose cause is the
 * exit code, from which kubectl takes its own.
 */
import type { JsonObject } from '../objects.ts';
import type { ExitCode } from './streams.ts';

/** The sentence of a program that failed. */
export function exitSentence(code: ExitCode): string {
  return `command terminated with non-zero exit code: exit status ${code}`;
}

/** The Status object of an exit code. */
export function exitStatus(code: ExitCode): JsonObject {
  if (code === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: exitSentence(code),
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

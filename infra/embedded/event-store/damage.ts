/**
 * The one error for "these files are not what was written". Whoever throws it has changed nothing; whoever catches it may
 * report it and must not go on: a log that may have lost an acknowledged fact is not served (G1).
 */
import { codeOf } from './sqlite-errors.ts';

export class DamagedLog extends Error {
  /** What was found: it names the file and the byte. */
  readonly finding: string;

  constructor(finding: string) {
    super(`The log is damaged: ${finding} Nothing was changed. Restore the folder from a backup.`);
    this.name = 'DamagedLog';
    this.finding = finding;
  }
}

/** Codes that mean "the bytes make no sense": corrupt, schema changed, wrong type, no database, and a page that is not there. */
const senseless = new Set([1, 11, 17, 20, 26]);
const shortRead = 522;

/** What an error means that came from reading `path`: damage, or the error itself when the bytes are not to blame. */
export function asDamage(error: unknown, path: string): unknown {
  const code = codeOf(error);
  const isSenseless = code !== undefined && (senseless.has(code & 0xff) || code === shortRead);
  if (!isSenseless && !isOutOfRange(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new DamagedLog(`${path} cannot be read from byte 0 on as it was written (${reason}).`);
}

/** A stored number beyond 2^53: node:sqlite refuses it, and nothing of ours ever was that great. */
function isOutOfRange(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE';
}

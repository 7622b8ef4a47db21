/**
 * What an error of SQLite means for the log. Only one kind is survived in place: a full disk, because SQLite has rolled
 * the transaction back and nothing is in doubt. After every other failure of a write the process must end and read its
 * files again (F-14): the kernel may have dropped pages that an fsync failed on, and a second fsync would say "done".
 *
 * Codes: https://www.sqlite.org/rescode.html
 */
const busy = 5;
const full = 13;

/** True when the error means "no space left", and the transaction is undone. */
export function isDiskFull(error: unknown): boolean {
  return primaryCode(error) === full;
}

/** True when another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === busy;
}

/** The low byte of SQLite's extended code, or undefined for an error that is not SQLite's. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

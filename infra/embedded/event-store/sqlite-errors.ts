/**
 * What an error of SQLite means for the log. Only one kind is survived in place: a full disk, because SQLite has rolled
 * the transaction back and nothing is in doubt. After every other failure of a write the process must end and read its
 * files again (F-14): the kernel may have dropped pages that an fsync failed on, and a second fsync would say "done".
 *
 * Codes: https://www.sqlite.org/rescode.html
 */
const busy = 5;
const full = 13;
/** The index of the write-ahead log, a file beside it, could not grow: on a full disk that comes as this. */
const indexCannotGrow = 4_874;

/** True when the error means "no space left", and the transaction is undone. */
export function isDiskFull(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && ((code & 0xff) === full || code === indexCannotGrow);
}

/** True when another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && (code & 0xff) === busy;
}

/** SQLite's extended code, or undefined for an error that is not SQLite's. The low byte is the primary code. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}

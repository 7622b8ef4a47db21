/**
 * The file of a snapshot: complete or not there. It is written beside its place, made durable and then put there in one
 * step, with its SHA-256 at the end; what does not add up when it is read is not used. It says nothing of what the bytes
 * mean. The sum finds damage, not forgery: whoever can write into the data folder can read the keys in it as well.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

const sumBytes = 32;
/** Of a file, so that neither disk nor memory is taken without end; about three million people and their access. */
export const mostSnapshotBytes = 1_073_741_824;

/**
 * Writes the file with mode 0600 into its folder, made with 0700. Between two pieces others get their turn. Rejects,
 * leaving what was there before, when the system refuses, when it gets longer than `mostBytes`, or with the signal.
 */
export async function writeSnapshotFile(
  path: string,
  pieces: Iterable<Buffer>,
  { signal, mostBytes = mostSnapshotBytes }: { readonly signal?: AbortSignal; readonly mostBytes?: number } = {},
): Promise<number> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.unfinished`;
  // An earlier process may have been killed while it wrote.
  await rm(unfinished, { force: true });
  try {
    const bytes = await writeSummed(unfinished, pieces, { signal, mostBytes });
    await rename(unfinished, path);
    await syncFolder(folder);
    return bytes;
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
}

type Limits = { readonly signal: AbortSignal | undefined; readonly mostBytes: number };

async function writeSummed(path: string, pieces: Iterable<Buffer>, { signal, mostBytes }: Limits): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  try {
    const sum = createHash('sha256');
    let bytes = sumBytes;
    for (const piece of pieces) {
      signal?.throwIfAborted();
      bytes += piece.length;
      if (bytes > mostBytes) throw new Error(`it would be longer than ${mostBytes} bytes`);
      sum.update(piece);
      await writeAll(file, piece);
    }
    await writeAll(file, sum.digest());
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** `write` may take less than it was given. */
async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length;) from += (await file.write(bytes, from)).bytesWritten;
}

/** A name is durable when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/** What was written, undefined when nothing was. Rejects with a reason for a file that is damaged or too long. */
export async function readSnapshotFile(path: string): Promise<Buffer | undefined> {
  const found = await stat(path).catch(unlessMissing);
  if (!found) return undefined;
  if (found.size > mostSnapshotBytes) throw new Error(`it is longer than ${mostSnapshotBytes} bytes`);
  const whole = await readFile(path);
  if (whole.length < sumBytes) throw new Error('it is too short');
  const bytes = whole.subarray(0, -sumBytes);
  const sum = createHash('sha256').update(bytes).digest();
  if (!sum.equals(whole.subarray(-sumBytes))) throw new Error('its sum is wrong: it is damaged');
  return bytes;
}

function unlessMissing(cause: NodeJS.ErrnoException): undefined {
  if (cause.code === 'ENOENT') return undefined;
  throw cause;
}

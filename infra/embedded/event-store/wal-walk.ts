/**
 * Reads SQLite's write-ahead log before SQLite does. SQLite ends its recovery at the first frame whose checksum is wrong
 * and says nothing, so one flipped byte in the middle would silently drop every commit after it. This walk tells the two
 * cases apart: sound commits after a bad frame = damage, and the store refuses to start; nothing sound after it = the
 * tail that a crash left half written and nobody was told about, and it may be cut.
 *
 * It cannot tell a flipped byte in the very last commit from a torn tail: nothing comes after it that would prove it. That is
 * what `head-file.ts` is for.
 *
 *   file:   header (32) frame frame frame …
 *   frame:  page number, size of the database after a commit or 0, salt 1+2, checksum 1+2 (24 bytes), then the page
 *
 * Layout and checksum: https://www.sqlite.org/fileformat2.html#walformat
 */
import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { DamagedLog } from './damage.ts';

const headerBytes = 32;
const frameHeaderBytes = 24;
const framesPerRead = 64;

/** `leftover`: frames of an older generation, which SQLite has already copied into the database and ignores. */
export type WalVerdict =
  | { readonly kind: 'sound'; readonly frames: number }
  | { readonly kind: 'torn'; readonly frames: number; readonly offset: number; readonly bytes: number };

type Checksum = readonly [number, number];

/**
 * Walks the file and changes nothing. Returns what it found; a missing file is sound with 0 frames.
 * Throws `DamagedLog` naming file and byte offset.
 */
export function walkWal(path: string): WalVerdict {
  if (!existsSync(path)) return { kind: 'sound', frames: 0 };
  const file = openSync(path, 'r');
  try {
    return inspect(file, path);
  } finally {
    closeSync(file);
  }
}

/** Cuts a torn tail off. Only for who knows that no commit which was acknowledged lies in it. */
export function cutWal(path: string, { offset }: Extract<WalVerdict, { kind: 'torn' }>): void {
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function inspect(file: number, path: string): WalVerdict {
  const size = fstatSync(file).size;
  const header = readHeader(file, size);
  if (header === 'absent') return { kind: 'sound', frames: 0 };
  if (header === 'bad') {
    throw new DamagedLog(`the header of ${path} (byte 0) does not match its checksum.`);
  }
  const walk = new Walk(header, path);
  const frameBytes = frameHeaderBytes + header.pageBytes;
  const frames = Math.floor((size - headerBytes) / frameBytes);
  const buffer = Buffer.alloc(Math.max(1, Math.min(framesPerRead, frames)) * frameBytes);
  for (let first = 0; first < frames; first += framesPerRead) {
    const count = Math.min(framesPerRead, frames - first);
    readSync(file, buffer, 0, count * frameBytes, headerBytes + first * frameBytes);
    for (let at = 0; at < count; at += 1) {
      walk.take(first + at, new DataView(buffer.buffer, buffer.byteOffset + at * frameBytes, frameBytes));
    }
  }
  return walk.verdict(frames, size);
}

type Header = {
  readonly pageBytes: number;
  readonly little: boolean;
  readonly salts: Checksum;
  readonly sum: Checksum;
};

function readHeader(file: number, size: number): Header | 'absent' | 'bad' {
  if (size < headerBytes) return 'absent';
  const view = new DataView(new ArrayBuffer(headerBytes));
  readSync(file, view, 0, headerBytes, 0);
  const magic = view.getUint32(0);
  const pageBytes = view.getUint32(8);
  const little = magic === 0x377f0682;
  const sum = checksum(view, { from: 0, to: 24, seed: [0, 0], little });
  const known = little || magic === 0x377f0683;
  if (!known || sum[0] !== view.getUint32(24) || sum[1] !== view.getUint32(28)) {
    // Shorter than the smallest frame there is: no commit can have been in it.
    return size < headerBytes + frameHeaderBytes + 512 ? 'absent' : 'bad';
  }
  return { pageBytes, little, salts: [view.getUint32(16), view.getUint32(20)], sum };
}

/** The state of one walk: where the sound run ended, and whether anything after that proves damage. */
class Walk {
  readonly #header: Header;
  readonly #path: string;
  /** What the next frame's checksum may be chained to: what the last frame says its checksum is, and what it really is. */
  #seeds: readonly Checksum[];
  #bad: { readonly index: number; readonly ours: boolean } | undefined;
  /** True once the transaction that the bad frame belongs to has ended. */
  #badEnded = false;

  constructor(header: Header, path: string) {
    this.#header = header;
    this.#path = path;
    this.#seeds = [header.sum];
  }

  take(index: number, frame: DataView): void {
    const { salts, little } = this.#header;
    const matching = Number(frame.getUint32(8) === salts[0]) + Number(frame.getUint32(12) === salts[1]);
    const stored: Checksum = [frame.getUint32(16), frame.getUint32(20)];
    // Both seeds, so that one bad frame does not condemn those after it, whatever part of it is bad.
    const sums = matching > 0 ? this.#seeds.map((seed) => frameSum(frame, seed, little)) : [];
    const sound = matching === 2 && sums.some((sum) => same(sum, stored));
    this.#seeds = sound ? [stored] : [stored, ...sums.slice(0, 1)];
    if (sound && this.#bad === undefined) return;
    // Frames of one unfinished transaction may reach the disk in any order when power fails; those of the next are
    // written only after the one before is on disk, so a sound frame beyond its end means it *was* there.
    if (sound && this.#badEnded) throw this.#damage();
    this.#bad ??= { index, ours: matching > 0 };
    if (matching > 0 && frame.getUint32(4) !== 0) this.#badEnded = true;
  }

  verdict(frames: number, size: number): WalVerdict {
    const { pageBytes } = this.#header;
    const end = headerBytes + (this.#bad?.index ?? frames) * (frameHeaderBytes + pageBytes);
    const torn = this.#bad === undefined ? end < size : this.#bad.ours;
    const sound = this.#bad?.index ?? frames;
    return torn ? { kind: 'torn', frames: sound, offset: end, bytes: size - end } : { kind: 'sound', frames: sound };
  }

  #damage(): DamagedLog {
    const index = this.#bad?.index ?? 0;
    const offset = headerBytes + index * (frameHeaderBytes + this.#header.pageBytes);
    return new DamagedLog(`${this.#path} has a bad frame at byte ${offset} with sound commits after it.`);
  }
}

function frameSum(frame: DataView, seed: Checksum, little: boolean): Checksum {
  const head = checksum(frame, { from: 0, to: 8, seed, little });
  return checksum(frame, { from: frameHeaderBytes, to: frame.byteLength, seed: head, little });
}

type Span = { readonly from: number; readonly to: number; readonly seed: Checksum; readonly little: boolean };

function checksum(view: DataView, { from, to, seed, little }: Span): Checksum {
  let [first, second] = seed;
  for (let at = from; at < to; at += 8) {
    first = (first + view.getUint32(at, little) + second) >>> 0;
    second = (second + view.getUint32(at + 4, little) + first) >>> 0;
  }
  return [first, second];
}

function same(one: Checksum, other: Checksum): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

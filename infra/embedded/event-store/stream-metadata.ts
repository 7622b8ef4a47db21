/**
 * What a `$$stream` event says about how `stream` is read: `$maxCount`, `$maxAge` (seconds) and `$tb` (truncate before) hide
 * events from reads of the stream and leave them in `$all` until they are scavenged. `$acl` and `$cacheControl` are kept and
 * mean nothing here, as whoever may connect at all is an administrator. Metadata that cannot be understood counts as none, as
 * in EventStoreDB; it is stored all the same.
 */
export type StreamMetadata = {
  readonly maxCount?: number;
  readonly maxAgeMs?: number;
  readonly truncateBefore?: number;
  /** The stream was deleted, and comes back with the next append. */
  readonly softDeleted?: true;
};

/** `$tb` of a deleted stream: the greatest int64. */
const deletedMark = 2n ** 63n - 1n;
const metastreamPrefix = '$$';
const names = ['$maxCount', '$maxAge', '$tb', '$cacheControl'];

/** A metadata stream shows its newest event only. */
export const metadataOfMetastream: StreamMetadata = { maxCount: 1 };

/** The stream that a metadata stream describes, or undefined for an ordinary one. */
export function describedStream(name: string): string | undefined {
  return name.startsWith(metastreamPrefix) ? name.slice(metastreamPrefix.length) : undefined;
}

export function metastreamOf(name: string): string {
  return metastreamPrefix + name;
}

/** The data of the event that deletes a stream. */
export const softDeletion = Buffer.from(`{"$tb":${deletedMark}}`);

/** The metadata of a deleted stream that comes back: as it was, but showing what lies from `revision` on. Undefined when it is no JSON object. */
export function undeletion(data: Uint8Array, revision: number): Buffer | undefined {
  const value = parseObject(data)?.value;
  return value === undefined ? undefined : Buffer.from(JSON.stringify({ ...value, $tb: revision }));
}

/** Reads the data of a `$metadata` event. */
export function parseMetadata(data: Uint8Array): StreamMetadata {
  const numbers = parseObject(data)?.numbers;
  if (numbers === undefined) return {};
  const maxCount = numbers.get('$maxCount') ?? 0n;
  const maxAge = numbers.get('$maxAge') ?? 0n;
  const truncateBefore = numbers.get('$tb') ?? -1n;
  return {
    ...(maxCount > 0n && { maxCount: clamp(maxCount) }),
    ...(maxAge > 0n && { maxAgeMs: clamp(maxAge * 1_000n) }),
    ...(truncateBefore >= 0n && { truncateBefore: clamp(truncateBefore) }),
    ...(truncateBefore === deletedMark && { softDeleted: true as const }),
  };
}

/** The first revision that reads of the stream may show, but for the age of events. */
export function firstReadable(last: number, { maxCount = Infinity, truncateBefore = 0 }: StreamMetadata): number {
  return Math.max(0, truncateBefore, last - maxCount + 1);
}

/** Events created before this are hidden from reads of the stream. */
export function oldestReadable({ maxAgeMs }: StreamMetadata, now: number): number {
  return maxAgeMs === undefined ? -Infinity : now - maxAgeMs;
}

type Parsed = { readonly value: object; readonly numbers: ReadonlyMap<string, bigint> };

/** Undefined when it is no JSON object, or one of our names holds something else than a whole number of 64 bits. */
function parseObject(data: Uint8Array): Parsed | undefined {
  const found: { readonly holder: unknown; readonly name: string; readonly source: string | undefined }[] = [];
  // Numbers are taken by their digits: the mark of a deleted stream does not fit into a number of JavaScript.
  function keep(this: unknown, name: string, ...[value, context]: [unknown, { readonly source?: string }?]): unknown {
    if (names.includes(name)) found.push({ holder: this, name, source: context?.source });
    return value;
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString(), keep);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const numbers = new Map<string, bigint>();
  for (const { holder, name, source } of found) {
    if (holder !== value) continue;
    if (source === undefined || !/^-?\d{1,19}$/.test(source) || BigInt(source) > deletedMark) return undefined;
    numbers.set(name, BigInt(source));
  }
  return { value, numbers };
}

function clamp(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

/**
 * What a `$$stream` event says about how `stream` is read. Served are `$maxCount` and `$tb` (truncate before), which hide
 * events from reads of the stream and leave them in `$all`. It refuses settings that it would have to ignore: a store
 * that takes `$acl` or `$maxAge` and does nothing is worse than one that says no.
 */
export type StreamMetadata = { readonly maxCount?: number; readonly truncateBefore?: number };

const metastreamPrefix = '$$';
const unserved = ['$maxAge', '$acl', '$cacheControl'];

/** The stream that a metadata stream describes, or undefined for an ordinary one. */
export function describedStream(name: string): string | undefined {
  return name.startsWith(metastreamPrefix) ? name.slice(metastreamPrefix.length) : undefined;
}

/** Reads the data of a `$metadata` event. The answer is the reason when it is refused. */
export function parseMetadata(data: Uint8Array): StreamMetadata | { readonly refused: string } {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString());
  } catch {
    return { refused: 'stream metadata must be JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { refused: 'stream metadata must be a JSON object' };
  }
  const named = new Map(Object.entries(value));
  const refused = unserved.find((key) => named.has(key));
  if (refused !== undefined) return { refused: `the embedded event store does not serve ${refused}` };
  const maxCount = named.get('$maxCount');
  const truncateBefore = named.get('$tb');
  if (maxCount !== undefined && !isWhole(maxCount, 1)) return { refused: '$maxCount must be a whole number from 1 up' };
  if (truncateBefore !== undefined && !isWhole(truncateBefore, 0)) {
    return { refused: '$tb must be a whole number from 0 up' };
  }
  return { ...(maxCount !== undefined && { maxCount }), ...(truncateBefore !== undefined && { truncateBefore }) };
}

/** Reads what `StreamIndex.describe` stored. */
export function parseStoredMetadata(text: string | null): StreamMetadata {
  return text === null ? {} : (JSON.parse(text) as StreamMetadata);
}

/** The first revision that reads of the stream may show. */
export function firstReadable(last: number, metadata: StreamMetadata): number {
  const { maxCount = Infinity, truncateBefore = 0 } = metadata;
  return Math.max(0, truncateBefore, last - maxCount + 1);
}

function isWhole(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

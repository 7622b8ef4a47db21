/**
 * The one reply that is changed on its way: the index of OpenAPI v3 names server-relative URLs, and kubectl before 1.27.2 asks them without the path of
 * its server, so `apply` would end at our own front door. With the cluster's prefix in front every version asks in the right place: a URL that does not begin with
 * /openapi/v3 is taken as it is (client-go, openapi/client.go). It never holds more than a small index, and changes nothing that it does not understand.
 */
import type { LaneHandlers } from '../ports.ts';

const largestIndex = 1024 * 1024;
const rooted = /("serverRelativeURL"\s*:\s*")(\/openapi\/v3)/g;

/** True for the target, below the cluster's prefix, whose reply is the index. */
export const isOpenApiIndex = (method: string, target: string): boolean =>
  method === 'GET' && /^\/openapi\/v3(\?|$)/.test(target);

/** Handlers that pass the index on with `prefix` before its URLs, and everything else untouched. */
export function prefixedIndex(inner: LaneHandlers, prefix: string): LaneHandlers {
  let held:
    | { readonly status: number; readonly headers: readonly string[]; readonly chunks: Buffer[]; bytes: number }
    | undefined;

  /** From here on nothing is held: head and data go on as they came. */
  const release = (): boolean => {
    if (!held) return true;
    const { status, headers, chunks } = held;
    held = undefined;
    inner.head(status, headers);
    return chunks.map((chunk) => inner.data(chunk)).every((goOn) => goOn);
  };
  return {
    head(status, headers) {
      if (status === 200 && isPlainJson(headers)) held = { status, headers, chunks: [], bytes: 0 };
      else inner.head(status, headers);
    },
    data(chunk) {
      if (!held) return inner.data(chunk);
      held.chunks.push(chunk);
      held.bytes += chunk.length;
      return held.bytes <= largestIndex || release();
    },
    end() {
      if (held) {
        const { status, headers, chunks } = held;
        held = undefined;
        const body = Buffer.from(Buffer.concat(chunks).toString('utf8').replace(rooted, `$1${prefix}$2`));
        inner.head(status, withLength(headers, body.length));
        inner.data(body);
      }
      inner.end();
    },
    fail(refusal) {
      held = undefined;
      inner.fail(refusal);
    },
    drain: () => inner.drain(),
  };
}

// Kubernetes sends the index as text/plain: nothing there sets a type, and Go guesses that one (1.34).
function isPlainJson(headers: readonly string[]): boolean {
  const isJson = /^(?:application\/json|text\/plain)\b/i.test(valueOf(headers, 'content-type') ?? '');
  return isJson && valueOf(headers, 'content-encoding') === undefined;
}

function valueOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((header, index) => index % 2 === 0 && header.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}

function withLength(headers: readonly string[], length: number): readonly string[] {
  return headers.map((value, index) =>
    index % 2 === 1 && headers[index - 1]?.toLowerCase() === 'content-length' ? String(length) : value,
  );
}

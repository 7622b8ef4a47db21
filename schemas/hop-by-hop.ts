/**
 * The headers that both ends of the tunnel leave at their own hop, in one place because a header that one end drops and
 * the other lets through is how requests are smuggled. It holds names only; what else is dropped is each end's own.
 */

/** Headers of one hop (RFC 9110, section 7.6.1), in both directions, lower case. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

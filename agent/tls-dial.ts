/**
 * Opens a TLS connection within a deadline. Whom to trust is always said by the caller: the system's own list of CAs is never
 * used, and what it gives back has been verified: chain, dates and name.
 */
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

export type TlsDial = {
  readonly url: URL;
  /** CAs, PEM. */
  readonly ca: string | readonly string[];
  readonly protocols: readonly string[];
  readonly deadlineMs: number;
  /** Anything else, such as a client certificate. */
  readonly options?: ConnectionOptions;
  /** The connection is not wanted any more. */
  readonly signal?: AbortSignal;
};

/** Port of an https URL. */
export const portOf = (url: URL): number => Number(url.port || 443);

/** Host of a URL, an IPv6 address without its brackets. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Resolves with the secured socket. Rejects with node's error, or one with code `ETIMEDOUT`. */
export async function dialTls({ url, ca, protocols, deadlineMs, options = {}, signal }: TlsDial): Promise<TLSSocket> {
  const host = hostOf(url);
  const socket = connect({
    host,
    port: portOf(url),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ca: typeof ca === 'string' ? ca : [...ca],
    ALPNProtocols: [...protocols],
    minVersion: 'TLSv1.2',
    ...options,
  });
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const timer = setTimeout(() => socket.destroy(timeout(host, deadlineMs)), deadlineMs);
  const abort = (): void => void socket.destroy();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  socket.setNoDelay(true);
  socket.once('secureConnect', () => resolve(socket));
  socket.once('close', () => reject(closed(host)));
  socket.on('error', reject);
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

const timeout = (host: string, ms: number): Error =>
  Object.assign(new Error(`${host} did not complete a TLS handshake within ${ms} ms`), { code: 'ETIMEDOUT' });

const closed = (host: string): Error =>
  Object.assign(new Error(`${host} closed the connection during the TLS handshake`), { code: 'ECONNRESET' });

/**
 * The one place that decides under which address the identity provider believes to be reached: always the issuer's.
 * What the client or the gateway in front says (Host, Forwarded, X-Forwarded-*) is overwritten, so no discovery
 * document, redirect or cookie can be talked into another origin.
 */
import type { IncomingMessage } from 'node:http';

/**
 * Rewrites the request as if it had come straight to the issuer, and takes the mount path off its URL (oidc-provider
 * finds it in `originalUrl`). Returns false when the path is not below the issuer's: nothing was changed then.
 */
export function arriveAtIssuer(request: IncomingMessage & { originalUrl?: string }, issuer: URL): boolean {
  const url = request.url ?? '';
  if (!url.startsWith(`${issuer.pathname}/`)) return false;
  for (const name of Object.keys(request.headers)) {
    if (name === 'forwarded' || name.startsWith('x-forwarded-')) delete request.headers[name];
  }
  request.headers.host = issuer.host;
  // Read by Koa in proxy mode: makes cookies Secure behind the gateway, which ends TLS.
  request.headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
  request.originalUrl = url;
  request.url = url.slice(issuer.pathname.length);
  return true;
}

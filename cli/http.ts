/**
 * HTTP requests of this tool outside of RPC: discovery and the identity provider. Trust is explicit, redirects are refused, answers are small and come as they
 * are.
 */
import { Agent, fetch as undiciFetch } from 'undici';
import { discoveryPath, parseDiscoveryDocument, type DiscoveryDocument } from '@clustral/schemas/discovery.ts';
import { CliError, exitCodes } from './failure.ts';
import { networkFailure } from './network-failure.ts';
import { isLoopback } from './server-address.ts';
import { visible } from './text.ts';

const limitMs = 15_000;
const largestBody = 256 * 1024;

/** A `fetch` that trusts the given CAs (PEM), follows no redirect and takes no compressed answer (which could be small here and huge unpacked). */
export function fetchWith(cas: string[], timeoutMs = limitMs): typeof globalThis.fetch {
  const dispatcher = new Agent({
    allowH2: false,
    // Given up too when the answer is: otherwise the process waits for it at its end.
    connect: { ca: cas, timeout: timeoutMs },
    keepAliveTimeout: 1,
    keepAliveMaxTimeout: 1,
    maxResponseSize: largestBody,
  });
  return (async (url: string, init: RequestInit | undefined) => {
    const response = await undiciFetch(url, {
      ...init,
      headers: { ...Object.fromEntries(new Headers(init?.headers)), 'accept-encoding': 'identity' },
      dispatcher,
      redirect: 'manual',
      signal: init?.signal ?? AbortSignal.timeout(timeoutMs),
    } as never);
    if (response.headers.has('content-encoding')) {
      await response.body?.cancel();
      throw new Error('the answer is compressed although that was not asked for');
    }
    return response;
  }) as unknown as typeof globalThis.fetch;
}

/** The installation's discovery document. Refuses one that sends people or tokens to a place of another kind (ID-11). */
export async function discover(server: URL, cas: string[], timeoutMs = limitMs): Promise<DiscoveryDocument> {
  const json = await fetchDocument(server, cas, timeoutMs);
  const parsed = parseDiscoveryDocument(json);
  if ('problem' in parsed)
    throw unusable(`the discovery document of ${server.host} is not usable: ${visible(parsed.problem)}`);
  const { version, controlPlaneUrl, auditServiceUrl, oidcAuthority, oidcClientId, oidcScopes } = parsed.document;
  const api = new URL(controlPlaneUrl);
  if (api.origin !== server.origin)
    throw unusable(
      `${server.host} names another server for its API (${api.origin})`,
      `sign in there if you trust it: clustral login ${api.origin}`,
    );
  const authority = new URL(oidcAuthority);
  const mayBePlain = server.protocol === 'http:' && isLoopback(authority.hostname);
  if (authority.protocol !== 'https:' && !mayBePlain)
    throw unusable(
      `${server.host} names an identity provider without TLS (${authority.origin})`,
      'ask the operator to use https there',
    );
  return { version, controlPlaneUrl: api.origin, auditServiceUrl, oidcAuthority, oidcClientId, oidcScopes };
}

async function fetchDocument(server: URL, cas: string[], timeoutMs: number): Promise<unknown> {
  const url = new URL(discoveryPath, server);
  try {
    const response = await fetchWith(cas, timeoutMs)(url.href, { headers: { accept: 'application/json' } });
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    if (response.status === 200 && isJson) return await response.json();
    await response.body?.cancel();
    throw notClustral(server, `${discoveryPath} answered ${response.status}${isJson ? '' : ' and no JSON'}`);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    if (cause instanceof SyntaxError) throw notClustral(server, `${discoveryPath} is no JSON`);
    const known = networkFailure(cause);
    const timedOut = (cause as Error).name === 'TimeoutError';
    const what = timedOut ? 'it did not answer in time' : (known?.what ?? visible(deepestMessage(cause)));
    throw new CliError(
      exitCodes.unavailable,
      `cannot read the discovery document of ${server.host}: ${what}`,
      known?.fix ?? 'check the address, then try again',
    );
  }
}

const notClustral = (server: URL, why: string): CliError =>
  unusable(`${server.host} is not a Clustral server: ${why}`, 'check the address');

const unusable = (what: string, fix = 'ask the operator of the server'): CliError =>
  new CliError(exitCodes.failed, what, fix);

function deepestMessage(thrown: unknown): string {
  let error = thrown as Error;
  for (let depth = 0; error.cause instanceof Error && depth < 6; depth += 1) error = error.cause;
  return error.message;
}

/** HTTP requests of this tool outside of RPC: discovery and the identity provider. Trust is explicit, redirects are refused, bodies are small. */
import { Agent, fetch as undiciFetch } from 'undici';
import { discoveryPath, parseDiscoveryDocument, type DiscoveryDocument } from '@clustral/schemas/discovery.ts';
import { CliError, exitCodes, networkFailure } from './failure.ts';
import { trustedCas } from './trust.ts';

const limitMs = 15_000;
const largestBody = 256 * 1024;

/** A `fetch` that trusts the given CA beside the system's and follows no redirect. */
export function fetchWith(caPem: string | undefined): typeof globalThis.fetch {
  const dispatcher = new Agent({
    connect: { ca: trustedCas(caPem) },
    keepAliveTimeout: 1,
    maxResponseSize: largestBody,
  });
  return ((url: string, init: RequestInit) =>
    undiciFetch(url, {
      ...init,
      dispatcher,
      redirect: 'manual',
      signal: init?.signal ?? AbortSignal.timeout(limitMs),
    } as never)) as unknown as typeof globalThis.fetch;
}

/** The installation's discovery document. Refuses one that sends tokens to another kind of address (ID-11). */
export async function discover(server: URL, caPem: string | undefined): Promise<DiscoveryDocument> {
  const url = new URL(discoveryPath, server);
  const response = await fetchWith(caPem)(url.href, { headers: { accept: 'application/json' } }).catch(
    (cause: unknown) => {
      const known = networkFailure(cause);
      throw new CliError(
        exitCodes.unavailable,
        `cannot reach ${server.host}: ${known?.what ?? (cause as Error).message}`,
        known?.fix ?? 'check the address',
      );
    },
  );
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  if (response.status !== 200 || !isJson) {
    throw new CliError(
      exitCodes.failed,
      `${server.host} is not a Clustral server: ${discoveryPath} answered ${response.status}`,
      'check the address',
    );
  }
  const parsed = parseDiscoveryDocument(await response.json());
  if ('problem' in parsed)
    throw new CliError(exitCodes.failed, `the discovery document of ${server.host} is not usable: ${parsed.problem}`);
  const { document } = parsed;
  if (new URL(document.controlPlaneUrl).origin !== server.origin) {
    throw new CliError(
      exitCodes.failed,
      `${server.host} names another server for its API (${document.controlPlaneUrl})`,
      `sign in there if you trust it: clustral login ${document.controlPlaneUrl}`,
    );
  }
  if (server.protocol === 'https:' && new URL(document.oidcAuthority).protocol !== 'https:') {
    throw new CliError(
      exitCodes.failed,
      `${server.host} names an identity provider without TLS (${document.oidcAuthority})`,
      'ask the operator to use https there',
    );
  }
  return document;
}

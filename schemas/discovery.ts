/**
 * The discovery document at `/.well-known/clustral-configuration`: all that a CLI needs to know of an installation
 * before anybody signed in. It names only public addresses and holds no secret.
 */
export const discoveryPath = '/.well-known/clustral-configuration';

export type DiscoveryDocument = {
  readonly version: string;
  /** Origin of the API and of the kubectl proxy, e.g. `https://localhost:8443`. */
  readonly controlPlaneUrl: string;
  readonly auditServiceUrl: string;
  readonly oidcAuthority: string;
  readonly oidcClientId: string;
  readonly oidcScopes: readonly string[];
};

/** The document, or the first thing that is wrong with it, in words. */
export function parseDiscoveryDocument(json: unknown): { document: DiscoveryDocument } | { problem: string } {
  if (typeof json !== 'object' || json === null) return { problem: 'it is not a JSON object' };
  const fields = json as Record<string, unknown>;
  for (const name of ['version', 'controlPlaneUrl', 'auditServiceUrl', 'oidcAuthority', 'oidcClientId']) {
    if (typeof fields[name] !== 'string' || fields[name] === '') return { problem: `'${name}' is missing` };
  }
  for (const name of ['controlPlaneUrl', 'auditServiceUrl', 'oidcAuthority']) {
    if (!URL.canParse(String(fields[name]))) return { problem: `'${name}' is not a URL` };
    const { protocol } = new URL(String(fields[name]));
    if (protocol !== 'https:' && protocol !== 'http:') return { problem: `'${name}' is not an http(s) URL` };
  }
  const scopes = fields['oidcScopes'];
  if (!Array.isArray(scopes) || scopes.some((scope) => typeof scope !== 'string'))
    return { problem: "'oidcScopes' is missing" };
  return { document: json as DiscoveryDocument };
}

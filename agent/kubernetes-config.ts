/**
 * Where an agent's API server is, whom to trust there, and by what the agent itself is known. What stands in a file is read anew at
 * every dial, so that what somebody rotates counts without a restart. It refuses nothing: `config.ts` and `kubeconfig.ts` do.
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from 'node:tls';

/** PEM or a token: in a file, or as it stands. */
export type FileOrText = { readonly path: string } | { readonly text: string };

export type KubernetesConfig = {
  /** Scheme, host and port only. */
  readonly url: URL;
  readonly ca: FileOrText;
  /** Undefined when the client certificate alone says who the agent is. */
  readonly token: FileOrText | undefined;
  readonly clientCertificate: ClientCertificate | undefined;
  /** The name or address for which the server's certificate must be good, when that is not the URL's host. */
  readonly serverName: string | undefined;
  readonly skipTlsVerify: boolean;
  /** What says whom to trust, for a sentence about a certificate that is not trusted. */
  readonly trustedBy: string;
};

export type ClientCertificate = { readonly certificate: FileOrText; readonly key: FileOrText };

/** What a TLS connection to the API server needs to know. */
export type ApiServerTls = Omit<ConnectionOptions, 'ca'> & { readonly ca: string };

/** Rejects with node's error when a file cannot be read. */
export async function apiServerTls(config: KubernetesConfig): Promise<ApiServerTls> {
  const { clientCertificate, serverName, skipTlsVerify } = config;
  return {
    ca: skipTlsVerify ? '' : await textIn(config.ca),
    ...(clientCertificate && {
      cert: await textIn(clientCertificate.certificate),
      key: await textIn(clientCertificate.key),
    }),
    ...(serverName !== undefined && namedBy(serverName)),
    ...(skipTlsVerify && { rejectUnauthorized: false }),
  };
}

async function textIn(source: FileOrText): Promise<string> {
  return 'text' in source ? source.text : readFile(source.path, 'utf8');
}

// An address cannot be asked for in a handshake (RFC 6066, section 3), but a certificate may be good for one.
function namedBy(serverName: string): Pick<ConnectionOptions, 'servername' | 'checkServerIdentity'> {
  if (isIP(serverName) === 0) return { servername: serverName };
  return {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(serverName, certificate),
  };
}

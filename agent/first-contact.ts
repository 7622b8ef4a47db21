/**
 * Whom to trust before there is an identity (D7): the CA whose public key has the hash that came in the bootstrap token, or
 * the CAs of a file. With a pin, the server is first only looked at: its chain is read and the connection closed with nothing
 * sent. The CA found by its pin is then the only one trusted, and the real connection is verified like any other (TN-08).
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { DetailedPeerCertificate } from 'node:tls';
import { publicKeyHash } from '@clustral/kernel/x509.ts';
import { parseBootstrapToken } from '@clustral/schemas/bootstrap-token.ts';
import { isBundle } from './identity.ts';
import { dialTls } from './tls-dial.ts';

const lookMs = 10_000;
/** A chain of ours has two certificates. */
const longestChain = 10;

/** The server is not the one that the bootstrap token is for. Nothing was sent to it. */
export class UntrustedServer extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UntrustedServer';
  }
}

/**
 * CAs, PEM. Throws `Refusal` `BOOTSTRAP_TOKEN_INVALID` for a token of another form, `UntrustedServer`, or node's error when the
 * server cannot be reached.
 */
export async function firstTrust(order: {
  readonly url: URL;
  readonly bootstrapToken: string;
  readonly caFile: string | undefined;
}): Promise<string> {
  const { caPin } = parseBootstrapToken(order.bootstrapToken);
  if (order.caFile === undefined) return pinnedAuthority(order.url, caPin);
  const bundle = await readFile(order.caFile, 'utf8');
  if (!isBundle(bundle)) throw new UntrustedServer(`AGENT_CA_FILE: ${order.caFile} holds no usable CA certificates.`);
  return bundle;
}

async function pinnedAuthority(url: URL, caPin: string): Promise<string> {
  const socket = await dialTls({
    url,
    ca: [],
    protocols: ['h2'],
    deadlineMs: lookMs,
    // To look only: no byte is sent on this connection.
    options: { minVersion: 'TLSv1.3', rejectUnauthorized: false },
  });
  const chain = certificatesOf(socket.getPeerCertificate(true));
  socket.destroy();
  const authority = chain.slice(1).find((certificate) => certificate.ca && pinOf(certificate) === caPin);
  if (authority) return authority.toString();
  throw new UntrustedServer(
    `The server at ${url.host} does not show the CA that the bootstrap token names, so it was sent nothing. ` +
      'Either AGENT_CONTROL_PLANE_URL leads elsewhere, something between reads the connection, or the token is of another installation.',
  );
}

function certificatesOf(leaf: DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  while (next?.raw && chain.length < longestChain) {
    chain.push(new X509Certificate(next.raw));
    // A self-signed certificate is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

const pinOf = (certificate: X509Certificate): string =>
  publicKeyHash(certificate.publicKey.export({ type: 'spki', format: 'der' }), 'base64url');

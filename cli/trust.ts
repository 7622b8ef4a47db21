/**
 * Which certificates are trusted: the system's, a file that was named, and on loopback only the CA that the server shows at the first sign-in, with its
 * fingerprint printed. Verification itself is never switched off (D7, X6).
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, getCACertificates, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { CliError, exitCodes } from './failure.ts';

const handshakeLimitMs = 10_000;

/** CAs for a connection: the system's and Mozilla's list, and the profile's own. */
export function trustedCas(caPem: string | undefined): string[] {
  const known = new Set([...getCACertificates('default'), ...getCACertificates('system')]);
  return [...known, ...(caPem === undefined ? [] : [caPem])];
}

/** SHA-256 of a certificate as people compare it: upper-case pairs with colons. */
export function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

/** The PEM of a file that was named with `--ca-file`. */
export function readCaFile(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    fingerprint(pem);
    return pem;
  } catch (cause) {
    throw new CliError(exitCodes.usage, `${path} holds no certificate in PEM (${(cause as Error).message})`);
  }
}

export type FirstContact = {
  readonly url: URL;
  /** SHA-256 fingerprint that the CA must have, from `--ca-pin`. */
  readonly pin?: string;
};

/**
 * The CA that the server shows, when it is not trusted already: taken on loopback, or when it has the pinned fingerprint. Undefined when the
 * certificate is trusted as it is. Throws when it may not be taken.
 */
export async function caOfFirstContact({ url, pin }: FirstContact): Promise<string | undefined> {
  if (url.protocol !== 'https:') return undefined;
  const { chain, problem } = await shownChain(url);
  if (problem === undefined) return undefined;
  const top = chain.at(-1);
  const usable = top?.ca === true && verifiedBy(chain, top);
  const pinned = pin !== undefined && top !== undefined && normal(top.fingerprint256) === normal(pin);
  if (usable && (pinned || (pin === undefined && isLoopback(url.hostname)))) return top.toString();
  if (pin !== undefined)
    throw new CliError(
      exitCodes.failed,
      `the server's CA is not the pinned one (it shows ${top?.fingerprint256 ?? 'none'})`,
      'compare the fingerprint with the operator before you go on',
    );
  throw new CliError(
    exitCodes.unavailable,
    `the certificate of ${url.host} is not trusted (${problem})`,
    'clustral login <host> --ca-file FILE, or --ca-pin SHA256',
  );
}

async function shownChain(url: URL): Promise<{ chain: readonly X509Certificate[]; problem: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 443),
    servername: isAddress(url.hostname) ? '' : url.hostname,
    ca: trustedCas(undefined),
    // Nothing is sent on this connection: it only asks which certificate the server shows.
    rejectUnauthorized: false,
  });
  socket.setTimeout(handshakeLimitMs, () =>
    socket.destroy(Object.assign(new Error('the server did not answer in time'), { code: 'ETIMEDOUT' })),
  );
  socket.once('secureConnect', () => resolve(socket));
  socket.once('error', reject);
  try {
    await promise;
    const chain: X509Certificate[] = [];
    for (
      let one: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      one?.raw && chain.length < 8;
    ) {
      chain.push(new X509Certificate(one.raw));
      one = one.issuerCertificate === one ? undefined : one.issuerCertificate;
    }
    return { chain, problem: socket.authorized ? undefined : String(socket.authorizationError) };
  } finally {
    socket.destroy();
  }
}

const verifiedBy = (chain: readonly X509Certificate[], top: X509Certificate): boolean =>
  chain.every((one, index) => one.verify((chain[index + 1] ?? top).publicKey));

const normal = (print: string): string => print.replaceAll(':', '').toLowerCase();
const isAddress = (host: string): boolean => /^[\d.]+$|:/.test(host);
const isLoopback = (host: string): boolean =>
  host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host) || host === '[::1]';

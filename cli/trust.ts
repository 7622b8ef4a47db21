/**
 * Which certificates are trusted: the machine's list, or for a server whose CA was named with `--ca-file` or `--ca-pin` that CA alone, as kubectl does it.
 * On loopback the CA that the server shows at the first sign-in is taken and its fingerprint printed. Verification itself is never switched
 * off (D7, X6).
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, getCACertificates, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { CliError, exitCodes } from './failure.ts';
import { isLoopback } from './server-address.ts';
import { visible } from './text.ts';

const longestChain = 8;

/** What this machine trusts: Node's list, the system's store, and what NODE_EXTRA_CA_CERTS adds. PEM. */
export function machineCas(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

/** CAs for connections to the server of a profile. */
export function serverCas(caPem: string | undefined): string[] {
  return caPem === undefined ? machineCas() : [caPem];
}

/** SHA-256 of a certificate as people compare it: upper-case pairs with colons. */
export function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

/** The PEM of a file that was named with `--ca-file`. Throws a usage error when it holds no certificate. */
export function readCaFile(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    fingerprint(pem);
    return pem;
  } catch (cause) {
    throw new CliError(
      exitCodes.usage,
      `${visible(path)} holds no certificate in PEM (${visible((cause as Error).message)})`,
      'name the file with the CA certificate that the operator gave you',
    );
  }
}

export type FirstContact = {
  readonly url: URL;
  /** SHA-256 fingerprint that the CA must have, from `--ca-pin`: hex, colons allowed. */
  readonly pin?: string;
  readonly timeoutMs: number;
};

/**
 * The CA that the server shows, when it is not trusted already: taken on loopback, or when it has the pinned fingerprint. Undefined when the
 * certificate is trusted as it is. Throws when it may not be taken.
 */
export async function caOfFirstContact({ url, pin, timeoutMs }: FirstContact): Promise<string | undefined> {
  if (url.protocol !== 'https:') return undefined;
  const { chain, problem } = await shownChain(url, timeoutMs);
  const top = chain.at(-1);
  const usable = top?.ca === true && verifiedBy(chain, top);
  if (pin !== undefined) {
    if (usable && normal(top.fingerprint256) === normal(pin)) return top.toString();
    throw new CliError(
      exitCodes.failed,
      `the CA of ${url.host} is not the pinned one: it shows ${usable ? top.fingerprint256 : 'no CA'}`,
      'compare the fingerprint with the operator before you go on',
    );
  }
  if (problem === undefined) return undefined;
  if (usable && isLoopback(url.hostname)) return top.toString();
  throw new CliError(
    exitCodes.unavailable,
    `the certificate of ${url.host} is not trusted (${problem})`,
    `clustral login ${url.host} --ca-file FILE, or --ca-pin SHA256`,
  );
}

async function shownChain(
  url: URL,
  timeoutMs: number,
): Promise<{ chain: readonly X509Certificate[]; problem: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 443),
    servername: isAddress(url.hostname) ? '' : url.hostname,
    ca: machineCas(),
    // Nothing is sent on this connection: it only asks which certificate the server shows.
    rejectUnauthorized: false,
  });
  const tooSlow = (): void => {
    socket.destroy(Object.assign(new Error('the server did not answer in time'), { code: 'ETIMEDOUT' }));
  };
  const timer = setTimeout(tooSlow, timeoutMs);
  socket.once('secureConnect', () => resolve(socket));
  socket.once('error', reject);
  socket.once('close', () => reject(Object.assign(new Error('the server hung up'), { code: 'ECONNRESET' })));
  try {
    await promise;
    return {
      chain: chainOf(socket),
      problem: socket.authorized ? undefined : visible(String(socket.authorizationError)),
    };
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let one: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (one?.raw && chain.length < longestChain) {
    chain.push(new X509Certificate(one.raw));
    one = one.issuerCertificate === one ? undefined : one.issuerCertificate;
  }
  return chain;
}

const verifiedBy = (chain: readonly X509Certificate[], top: X509Certificate): boolean =>
  chain.every((one, index) => one.verify((chain[index + 1] ?? top).publicKey));

const normal = (print: string): string => print.replaceAll(':', '').toLowerCase();
const isAddress = (host: string): boolean => /^[\d.]+$|:/.test(host);

/** Network errors in words: what is wrong with the connection and what to try. Known by code only; nothing is guessed from text. */
import { exitCodes, type Failure } from './failure.ts';

const untrusted = [
  "the server's certificate is signed by a CA that this machine does not trust",
  'clustral login <host> --ca-file FILE; --force if this installation on your machine was made anew',
] as const;

const words: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ECONNREFUSED: [
    'nothing listens at the address of the server',
    'check the address, and that Clustral is running there',
  ],
  EHOSTUNREACH: ['there is no way to the address of the server', 'check your network connection or VPN'],
  ENETUNREACH: ['there is no way to the network of the server', 'check your network connection or VPN'],
  ENOTFOUND: ['the name of the server does not resolve', 'check the spelling of the address and your DNS'],
  EAI_AGAIN: ['the name of the server does not resolve now', 'check your network connection'],
  ECONNRESET: ['the server closed the connection', 'try again in a few seconds'],
  UND_ERR_SOCKET: ['the server closed the connection', 'try again in a few seconds'],
  EPIPE: ['the server closed the connection', 'try again in a few seconds'],
  ETIMEDOUT: ['the server did not answer in time', 'check your network connection, then try again'],
  UND_ERR_CONNECT_TIMEOUT: ['the server did not answer in time', 'check your network connection, then try again'],
  CERT_HAS_EXPIRED: [
    "the server's certificate has expired",
    'ask the operator to renew it, and check the clock of this machine',
  ],
  CERT_NOT_YET_VALID: ["the server's certificate is not valid yet", 'check the clock of this machine'],
  CERT_SIGNATURE_FAILURE: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "the server's certificate is for another name",
    'use the name that the certificate was made for',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: ['the server does not speak TLS at that port', 'check the port of the address'],
  EPROTO: ['the server does not speak TLS at that port', 'check the port of the address'],
};

const deepest = 6;

/** A network error in words, or undefined when it is none. */
export function networkFailure(thrown: unknown): Failure | undefined {
  for (let cause: unknown = thrown, depth = 0; cause instanceof Error && depth < deepest; depth += 1) {
    const said = words[(cause as NodeJS.ErrnoException).code ?? ''];
    if (said) return { exitCode: exitCodes.unavailable, what: said[0], fix: said[1], cause: thrown };
    // An attempt at several addresses fails as a whole with one cause each.
    cause = cause instanceof AggregateError ? cause.errors[0] : cause.cause;
  }
  return undefined;
}

/**
 * What went wrong with a connection, as a sentence for whoever reads the log or kubectl's output: what happened, where, and what to
 * look at. It repeats no header, token or body.
 */
import { IdentityUnreachable } from './identity-store.ts';

/** The other end of a connection: what it is called, where it is, and which setting says whom to trust there. */
export type Place = { readonly what: string; readonly host: string; readonly trust: string };

const certificateCodes =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_CERT_|PATH_LENGTH_)/;
const clockCodes = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

const plain: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has a name that cannot be resolved: look at the name and at DNS',
  EAI_AGAIN: 'has a name that cannot be resolved just now: look at DNS',
  ECONNREFUSED: 'refuses connections: look whether it runs and listens there',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
  EHOSTUNREACH: 'cannot be reached: look at the network',
  ENETUNREACH: 'cannot be reached: look at the network',
  ETIMEDOUT: 'does not answer: look at the network',
  ERR_HTTP2_SESSION_ERROR: 'ended the connection',
  ERR_HTTP2_STREAM_ERROR: 'ended the request',
};

/** The code of an error of node's, or of the first that it stands for; undefined when it has none. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errors, cause } = error as NodeJS.ErrnoException & { errors?: readonly unknown[] };
  // Several addresses of one name were tried.
  if (errors?.[0] !== undefined) return codeOf(errors[0]) ?? code;
  return typeof code === 'string' ? code : codeOf(cause);
}

/** True when the certificate of the other end was not accepted. */
export const isUntrusted = (error: unknown): boolean => certificateCodes.test(codeOf(error) ?? '');

/** True when only the dates of the certificate are wrong, or the clock here. */
export const isClockProblem = (error: unknown): boolean => clockCodes.has(codeOf(error) ?? '');

/** One sentence. `now` is named where clocks that differ may be the reason (F-26). */
export function failureSentence(error: unknown, { what, host, trust }: Place, now: Date): string {
  if (error instanceof IdentityUnreachable) return error.message;
  const code = codeOf(error) ?? 'unknown reason';
  const path = pathOf(error);
  if (path !== undefined) return `${path} cannot be read or written (${code}): look at its rights and its volume.`;
  const subject = `${what} at ${host}`;
  if (clockCodes.has(code)) {
    return `${subject} has a certificate outside its dates (${code}); the clock here says ${now.toISOString()}.`;
  }
  if (certificateCodes.test(code)) {
    return `${subject} has a certificate that is not trusted (${code}): look at ${trust}.`;
  }
  const known = plain[code];
  return known === undefined ? `${subject} cannot be used (${code}).` : `${subject} ${known} (${code}).`;
}

// Set on errors of files only.
function pathOf(error: unknown): string | undefined {
  const { path } = (error ?? {}) as NodeJS.ErrnoException;
  return typeof path === 'string' ? path : undefined;
}

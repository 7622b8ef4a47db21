/**
 * Who may call. On a socket or a loopback port without TLS everybody who can connect may: the folder's mode and the machine
 * decide. With TLS there is one user, `admin`, and his password; whoever gives none or another is refused, but for the two
 * calls by which a client finds out where it is.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { GrpcError, status } from '../grpc/status.ts';
import type { Metrics } from '../metrics.ts';
import { accessDenied } from './errors.ts';

const user = 'admin';

export class Admission {
  readonly #expected: Buffer | undefined;
  readonly #metrics: Metrics;

  /** Without a password everybody is admitted. */
  constructor(password: string | undefined, metrics: Metrics) {
    this.#expected = password === undefined ? undefined : digest(`${user}:${password}`);
    this.#metrics = metrics;
  }

  /** Throws `GrpcError` when the call may not go on. */
  check(call: GrpcCall): void {
    if (this.#expected !== undefined) this.#checkPassword(call, this.#expected);
    call.connection.admit();
  }

  #checkPassword(call: GrpcCall, expected: Buffer): void {
    const header = call.headers.authorization;
    if (header === undefined) throw accessDenied();
    const [, encoded] = /^basic\s+([A-Za-z0-9+/=]+)$/i.exec(header) ?? [];
    if (encoded !== undefined && timingSafeEqual(digest(Buffer.from(encoded, 'base64').toString()), expected)) return;
    this.#metrics.counts.wrongPasswords += 1;
    call.connection.refuse();
    throw new GrpcError(status.unauthenticated, 'the user name or the password is wrong');
  }
}

/** Of one length, whatever was given: the comparison takes the same time for all. */
function digest(credentials: string): Buffer {
  return createHash('sha256').update(credentials).digest();
}

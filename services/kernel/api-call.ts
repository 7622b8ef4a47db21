/** One call, from headers to the handler's answer: the part that the Connect and the REST face share. */
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { CallerRule } from '@clustral/schemas/services.ts';
import { internalTokenHeader, lagHeader, positionHeader, type InternalClaims } from '@clustral/schemas/tokens.ts';
import { authorizeCall, type Call } from './api.ts';
import type { Correlation } from './correlation.ts';
import type { Verifier } from './jwt.ts';
import type { Log } from './log.ts';

/** What both faces are given. */
export type ApiOptions = {
  readonly verifier: Verifier<InternalClaims>;
  readonly docsBaseUrl: string;
  readonly log: Log;
  /** Runs after the rule let the caller in and before the handler: the control plane makes the caller known here. */
  readonly before?: (call: Call) => Promise<void>;
};

type Incoming = {
  readonly options: ApiOptions;
  readonly route: { readonly callers: CallerRule; readonly method: { readonly name: string } };
  readonly headers: IncomingHttpHeaders;
  readonly correlation: Correlation;
  readonly signal: AbortSignal;
};

/** The answer and the headers that it tells of itself: of a command where its facts ended, of a query how old it is. */
export type CallResult = {
  readonly message: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
};

/** Verifies the internal token, applies the method's rule, then lets `handle` answer. */
export async function runCall(
  incoming: Incoming,
  handle: (call: Call) => Promise<Record<string, unknown>>,
): Promise<CallResult> {
  const headers: Record<string, string> = {};
  const call = await admitCall(incoming, headers);
  return { message: await handle(call), headers };
}

/** Verifies the internal token and applies the method's rule. What the handler tells of its answer goes into `headers`. */
export async function admitCall(incoming: Incoming, headers: Record<string, string> = {}): Promise<Call> {
  const claims = await claimsOf(incoming);
  authorizeCall(incoming.route, claims);
  const call: Call = {
    claims,
    correlationId: incoming.correlation.correlationId,
    signal: incoming.signal,
    ...optional('traceparent', incoming.correlation.traceparent),
    ...optional('sourceAddress', one(incoming.headers['x-forwarded-for'])),
    ...optional('userAgent', incoming.headers['user-agent']),
    ...optional('idempotencyKey', idempotencyKeyOf(incoming.headers)),
    ...optional('atLeastPosition', positionOf(incoming.headers)),
    reached: (position) => {
      headers[positionHeader] = String(position);
    },
    lags: (seconds) => {
      headers[lagHeader] = String(seconds);
    },
  };
  if (incoming.route.callers !== 'anyone') await incoming.options.before?.(call);
  return call;
}

async function claimsOf({ headers, options }: Incoming): Promise<InternalClaims | undefined> {
  const token = one(headers[internalTokenHeader]);
  return token === undefined ? undefined : options.verifier.verify(token);
}

function positionOf(headers: IncomingHttpHeaders): bigint | undefined {
  const value = one(headers[positionHeader]);
  if (value === undefined) return undefined;
  if (!/^\d{1,19}$/.test(value))
    throw new Refusal('VALIDATION_ERROR', `${positionHeader} must be a decimal number.`, { field: positionHeader });
  return BigInt(value);
}

function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const value = one(headers['idempotency-key']);
  if (value !== undefined && !/^[\x21-\x7e]{1,128}$/.test(value)) {
    throw new Refusal('VALIDATION_ERROR', 'Idempotency-Key must be 1 to 128 visible ASCII characters.', {
      field: 'Idempotency-Key',
    });
  }
  return value;
}

const one = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

const optional = <Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };

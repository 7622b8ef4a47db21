/**
 * What the handlers of the admin API see: a parsed request and a `Call`. The same handler serves Connect (`api-connect.ts`)
 * and REST (`api-rest.ts`); who may call is decided here, once, from the method's rule in the schema, and deny is the
 * default.
 */
import type { DescMethodUnary, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { CallerRule, Route } from '@clustral/schemas/services.ts';
import { adminRole, auditorRole, type InternalClaims } from '@clustral/schemas/tokens.ts';

/** One call of a method. */
export type Call = {
  /** Claims of the verified internal token; absent only on methods that anyone may call. */
  readonly claims: InternalClaims | undefined;
  readonly correlationId: string;
  readonly traceparent?: string;
  readonly sourceAddress?: string;
  readonly userAgent?: string;
  readonly idempotencyKey?: string;
  /** The log position that the answer must include, when the caller asked for one (`x-clustral-position`). */
  readonly atLeastPosition?: bigint;
  readonly signal: AbortSignal;
  /** A command says where its facts ended; it becomes the answer's `x-clustral-position`. */
  reached(position: bigint): void;
};

/** Handlers of one service, by method. */
export type Handlers<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary
    ? (
        request: MessageShape<S['method'][M]['input']>,
        call: Call,
      ) => Promise<MessageInitShape<S['method'][M]['output']>>
    : never;
};

/** A handler whose types were checked when it was registered. */
export type AnyHandler = (request: never, call: Call) => Promise<Record<string, unknown>>;

/** A service with its handlers, as the two faces take it. */
export type Implementation = { readonly service: DescService; readonly handlers: Readonly<Record<string, AnyHandler>> };

/** Pairs a service with handlers of exactly its methods. */
export function implement<S extends DescService>(service: S, handlers: Handlers<S>): Implementation {
  return { service, handlers: handlers as unknown as Implementation['handlers'] };
}

export const isAdmin = (claims: InternalClaims): boolean => (claims.roles ?? []).includes(adminRole);
export const isAuditor = (claims: InternalClaims): boolean => (claims.roles ?? []).includes(auditorRole);

/** Throws `AUTHENTICATION_REQUIRED` or `FORBIDDEN` unless the rule lets the caller in. `owner` leaves the rest to the handler. */
export function authorizeCall(route: Pick<Route, 'callers' | 'method'>, claims: InternalClaims | undefined): void {
  if (route.callers === 'anyone') return;
  // A kubeconfig credential is good on the proxy path only (D9), whatever path it came by.
  if (claims === undefined || claims.kind !== 'internal' || claims.credential_id !== undefined) {
    throw new Refusal('AUTHENTICATION_REQUIRED', "Sign in first with 'clustral login'.");
  }
  if (!allowed(route.callers, claims)) {
    throw new Refusal(
      'FORBIDDEN',
      `Only ${route.callers === 'admin' ? 'administrators' : 'administrators and auditors'} may do this (${route.method.name}).`,
    );
  }
}

function allowed(rule: Exclude<CallerRule, 'anyone'>, claims: InternalClaims): boolean {
  switch (rule) {
    case 'person':
    case 'owner':
      return true;
    case 'reader':
      return isAdmin(claims) || isAuditor(claims);
    case 'admin':
      return isAdmin(claims);
    default:
      return rule satisfies never;
  }
}

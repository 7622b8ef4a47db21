/**
 * What the handlers of the admin API see: a parsed request and a `Call`. The same handler serves Connect (`api-connect.ts`)
 * and REST (`api-rest.ts`); who may call is decided here, once, from the method's rule in the schema, and deny is the
 * default.
 */
import type {
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { CallerRule } from '@clustral/schemas/services.ts';
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
  /** A query says how many seconds what it shows may be behind the log; it becomes the answer's `x-clustral-lag`. */
  lags(seconds: number): void;
};

/** One call of a method that answers with a stream. */
export type StreamCall = Call & {
  /** Breaks the connection off: the one way to end a stream whose reader does not read. */
  cut(): void;
};

/** Handlers of one service, by method. */
export type Handlers<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary
    ? (
        request: MessageShape<S['method'][M]['input']>,
        call: Call,
      ) => Promise<MessageInitShape<S['method'][M]['output']>>
    : S['method'][M] extends DescMethodServerStreaming
      ? (
          request: MessageShape<S['method'][M]['input']>,
          call: StreamCall,
        ) => AsyncIterable<MessageInitShape<S['method'][M]['output']>>
      : never;
};

/** A handler whose types were checked when it was registered. */
export type AnyHandler = (request: never, call: Call) => Promise<Record<string, unknown>>;

/** As `AnyHandler`, for a method that answers with a stream. */
export type AnyStreamHandler = (request: never, call: StreamCall) => AsyncIterable<Record<string, unknown>>;

/** A service with its handlers, as the two faces take it. */
export type Implementation = {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  readonly streams: Readonly<Record<string, AnyStreamHandler>>;
};

/** Pairs a service with handlers of exactly its methods. */
export function implement<S extends DescService>(service: S, handlers: Handlers<S>): Implementation {
  const ofKind = (kind: string) =>
    Object.fromEntries(
      service.methods.flatMap(({ localName, methodKind }) => {
        const handler = (handlers as Readonly<Record<string, unknown>>)[localName];
        if (!handler) throw new Error(`${service.typeName}/${localName} has no handler`);
        return methodKind === kind ? [[localName, handler]] : [];
      }),
    );
  return {
    service,
    handlers: ofKind('unary') as Implementation['handlers'],
    streams: ofKind('server_streaming') as Implementation['streams'],
  };
}

export const isAdmin = (claims: InternalClaims): boolean => (claims.roles ?? []).includes(adminRole);
export const isAuditor = (claims: InternalClaims): boolean => (claims.roles ?? []).includes(auditorRole);

type Rule = Exclude<CallerRule, 'anyone'>;

const sentences: Readonly<Record<Rule, string>> = {
  person: 'Only people who have signed in may do this',
  owner: 'Only people who have signed in may do this',
  reader: 'Only administrators and auditors may do this',
  admin: 'Only administrators may do this',
  acting: 'Auditors see everything and change nothing',
  reviewer: 'Auditors see everything and change nothing',
  requester: 'Auditors see everything and change nothing',
};

/**
 * Throws `AUTHENTICATION_REQUIRED` or `FORBIDDEN` unless the rule lets the caller in. Whose a thing is (`owner`,
 * `requester`) and who may decide about it (`reviewer`) is left to the handler.
 */
export function authorizeCall(
  { callers, method }: { readonly callers: CallerRule; readonly method: { readonly name: string } },
  claims: InternalClaims | undefined,
): void {
  if (callers === 'anyone') return;
  // A kubeconfig credential is good on the proxy path only (D9), whatever path it came by.
  if (claims === undefined || claims.kind !== 'internal' || claims.credential_id !== undefined) {
    throw new Refusal('AUTHENTICATION_REQUIRED', "Sign in first with 'clustral login'.");
  }
  if (!allowed(callers, claims)) throw new Refusal('FORBIDDEN', `${sentences[callers]} (${method.name}).`);
}

function allowed(rule: Rule, claims: InternalClaims): boolean {
  switch (rule) {
    case 'person':
    case 'owner':
      return true;
    case 'acting':
    case 'reviewer':
    case 'requester':
      return isAdmin(claims) || !isAuditor(claims);
    case 'reader':
      return isAdmin(claims) || isAuditor(claims);
    case 'admin':
      return isAdmin(claims);
    default:
      return rule satisfies never;
  }
}

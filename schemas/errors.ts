/**
 * The error catalogue: every expected "no" of the product, once. The server maps a code to HTTP and Connect, the CLI to an exit
 * code, the documentation to a page; none of them may know a code that is not here, and nothing here may go unused.
 * A `Refusal` is a "no" that was foreseen; anything else that is thrown is a bug and leaves as `INTERNAL_ERROR`.
 */

/** Names of the Connect codes used, as @connectrpc/connect spells them in JSON. */
export type ConnectCodeName =
  | 'invalid_argument'
  | 'unauthenticated'
  | 'permission_denied'
  | 'not_found'
  | 'already_exists'
  | 'failed_precondition'
  | 'aborted'
  | 'resource_exhausted'
  | 'unavailable'
  | 'deadline_exceeded'
  | 'unimplemented'
  | 'internal';

type Entry = {
  /** HTTP status (RFC 9110) on REST and on the proxy path. */
  readonly http: number;
  readonly connect: ConnectCodeName;
  readonly title: string;
  /** What the person or the operator does next: one sentence. */
  readonly advice: string;
};

const catalogue = {
  AUTHENTICATION_REQUIRED: {
    http: 401,
    connect: 'unauthenticated',
    title: 'Authentication required',
    advice: "Sign in with 'clustral login'.",
  },
  INVALID_TOKEN: {
    http: 401,
    connect: 'unauthenticated',
    title: 'Invalid token',
    advice: "Sign in again with 'clustral login'; each kind of token is good for one surface only.",
  },
  FORBIDDEN: {
    http: 403,
    connect: 'permission_denied',
    title: 'Forbidden',
    advice: 'Ask an administrator of Clustral to do it.',
  },
  RATE_LIMITED: {
    http: 429,
    connect: 'resource_exhausted',
    title: 'Too many requests',
    advice: 'Wait for the time that Retry-After names, then go on more slowly.',
  },
  ROUTE_NOT_FOUND: {
    http: 404,
    connect: 'unimplemented',
    title: 'Route not found',
    advice: 'Compare the path with the API reference.',
  },
  METHOD_NOT_ALLOWED: {
    http: 405,
    connect: 'unimplemented',
    title: 'Method not allowed',
    advice: 'Use a method that the Allow header names.',
  },
  REQUEST_TOO_LARGE: {
    http: 413,
    connect: 'resource_exhausted',
    title: 'Request too large',
    advice: 'Send less than 10 MB in one request body.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    http: 415,
    connect: 'invalid_argument',
    title: 'Unsupported media type',
    advice: 'Send the body as application/json.',
  },
  BAD_REQUEST: {
    http: 400,
    connect: 'invalid_argument',
    title: 'Bad request',
    advice: 'Send well-formed HTTP and JSON.',
  },
  INVALID_CLUSTER_ID: {
    http: 400,
    connect: 'invalid_argument',
    title: 'Invalid cluster id',
    advice: "Use the UUID that 'clustral clusters list -o json' shows.",
  },
  INVALID_PATH: {
    http: 400,
    connect: 'invalid_argument',
    title: 'Invalid path',
    advice: "Send a path without '.' and '..' segments.",
  },
  CLUSTER_MISMATCH: {
    http: 403,
    connect: 'permission_denied',
    title: 'Credential of another cluster',
    advice: "Run 'clustral kube login' for the cluster you mean.",
  },
  IMPERSONATION_NOT_ALLOWED: {
    http: 403,
    connect: 'permission_denied',
    title: 'Impersonation not allowed',
    advice: 'Leave out --as, --as-group, --as-uid: Clustral sets who you are.',
  },
  CREDENTIAL_REVOKED: {
    http: 401,
    connect: 'unauthenticated',
    title: 'Credential revoked',
    advice: "Run 'clustral kube login' again.",
  },
  CREDENTIAL_EXPIRED: {
    http: 401,
    connect: 'unauthenticated',
    title: 'Credential expired',
    advice: "Run 'clustral kube login' again.",
  },
  NO_ROLE_ASSIGNMENT: {
    http: 403,
    connect: 'permission_denied',
    title: 'No role on this cluster',
    advice: 'Ask an administrator for a role, or request access for a limited time.',
  },
  RESERVED_USER_NAME: {
    http: 403,
    connect: 'permission_denied',
    title: 'Reserved user name',
    advice: "Change the name at the identity provider: Kubernetes keeps 'system:' names for itself.",
  },
  USER_NAME_TAKEN: {
    http: 403,
    connect: 'permission_denied',
    title: 'User name taken',
    advice: "Disable the other person, or let the issuer's people be named by issuer and subject.",
  },
  AGENT_NOT_CONNECTED: {
    http: 502,
    connect: 'unavailable',
    title: 'Agent not connected',
    advice: "Check 'kubectl -n clustral logs deploy/clustral-agent' in that cluster.",
  },
  TUNNEL_TIMEOUT: {
    http: 504,
    connect: 'deadline_exceeded',
    title: 'Tunnel timeout',
    advice: 'Try again; when it stays, look at the load of the cluster and its API server.',
  },
  TUNNEL_ERROR: {
    http: 502,
    connect: 'unavailable',
    title: 'Tunnel error',
    advice: 'Try again; the request may or may not have reached the cluster.',
  },
  AGENT_ERROR: {
    http: 502,
    connect: 'unavailable',
    title: 'Agent error',
    advice: 'Look at the log of the agent: it could not get an answer from its API server.',
  },
  UPSTREAM_UNREACHABLE: {
    http: 502,
    connect: 'unavailable',
    title: 'Service unreachable',
    advice: 'Try again in a few seconds; the service behind the gateway does not answer.',
  },
  UPSTREAM_UNAVAILABLE: {
    http: 503,
    connect: 'unavailable',
    title: 'Service unavailable',
    advice: 'Try again in a few seconds; the service behind the gateway is starting.',
  },
  UPSTREAM_TIMEOUT: {
    http: 504,
    connect: 'deadline_exceeded',
    title: 'Service timeout',
    advice: 'Try again; the service behind the gateway took too long.',
  },
  STORE_UNAVAILABLE: {
    http: 503,
    connect: 'unavailable',
    title: 'Log unavailable',
    advice: 'Try again in a few seconds; nothing is decided while the log cannot be read and written.',
  },
  VALIDATION_ERROR: {
    http: 422,
    connect: 'invalid_argument',
    title: 'Validation error',
    advice: 'Correct the named field.',
  },
  INVALID_DURATION: {
    http: 422,
    connect: 'invalid_argument',
    title: 'Invalid duration',
    advice: "Write durations as '30m', '8h', '1d12h' or 'PT8H'.",
  },
  CLUSTER_NOT_FOUND: {
    http: 404,
    connect: 'not_found',
    title: 'Cluster not found',
    advice: "'clustral clusters list' shows the clusters.",
  },
  ROLE_NOT_FOUND: {
    http: 404,
    connect: 'not_found',
    title: 'Role not found',
    advice: "'clustral roles list' shows the roles.",
  },
  USER_NOT_FOUND: {
    http: 404,
    connect: 'not_found',
    title: 'User not found',
    advice: "'clustral users list' shows the people who have signed in.",
  },
  ASSIGNMENT_NOT_FOUND: {
    http: 404,
    connect: 'not_found',
    title: 'Assignment not found',
    advice: "Look at the person's assignments first.",
  },
  CREDENTIAL_NOT_FOUND: {
    http: 404,
    connect: 'not_found',
    title: 'Credential not found',
    advice: 'It may belong to somebody else or never have been issued.',
  },
  AUDIT_EVENT_NOT_FOUND: {
    http: 404,
    connect: 'not_found',
    title: 'Audit event not found',
    advice: "'clustral audit' shows the events.",
  },
  REQUEST_NOT_FOUND: {
    http: 404,
    connect: 'not_found',
    title: 'Access request not found',
    advice: "'clustral access list' shows the access requests that you may see.",
  },
  STATIC_ASSIGNMENT_EXISTS: {
    http: 409,
    connect: 'failed_precondition',
    title: 'Standing role exists',
    advice: 'Use the standing role, or ask an administrator to change it.',
  },
  PENDING_REQUEST_EXISTS: {
    http: 409,
    connect: 'already_exists',
    title: 'Request pending already',
    advice: "Wait for its decision, or take it back with 'clustral access withdraw'.",
  },
  GRANT_ALREADY_ACTIVE: {
    http: 409,
    connect: 'already_exists',
    title: 'Access granted already',
    advice:
      "Use it until it ends, prolong it with 'clustral access extend', or give it back with 'clustral access give-back'.",
  },
  REQUEST_NOT_PENDING: {
    http: 409,
    connect: 'failed_precondition',
    title: 'Request not pending',
    advice: 'Look at what became of it; a new request can be decided.',
  },
  APPROVED_ALREADY: {
    http: 409,
    connect: 'already_exists',
    title: 'Approved by you already',
    advice: 'Have somebody else approve it too, or deny it.',
  },
  REQUEST_EXPIRED: {
    http: 409,
    connect: 'failed_precondition',
    title: 'Request expired',
    advice: 'Have the request made again.',
  },
  GRANT_NOT_ACTIVE: {
    http: 409,
    connect: 'failed_precondition',
    title: 'No active grant',
    advice: 'There is nothing to end; a pending request is denied or withdrawn instead.',
  },
  ROLE_CHANGED: {
    http: 409,
    connect: 'aborted',
    title: 'Role changed meanwhile',
    advice: 'Look at what the role gives now, and decide again.',
  },
  SELF_APPROVAL: {
    http: 403,
    connect: 'permission_denied',
    title: 'Own request',
    advice: 'Ask somebody else who may review it.',
  },
  DUPLICATE_CLUSTER_NAME: {
    http: 409,
    connect: 'already_exists',
    title: 'Cluster name taken',
    advice: 'Choose another name.',
  },
  DUPLICATE_ROLE_NAME: {
    http: 409,
    connect: 'already_exists',
    title: 'Role name taken',
    advice: 'Choose another name.',
  },
  CONFLICT: {
    http: 409,
    connect: 'aborted',
    title: 'Changed meanwhile',
    advice: 'Read the current state and decide again.',
  },
  IDEMPOTENCY_MISMATCH: {
    http: 422,
    connect: 'failed_precondition',
    title: 'Idempotency key used otherwise',
    advice: 'Use a new Idempotency-Key for a new request.',
  },
  BOOTSTRAP_TOKEN_INVALID: {
    http: 401,
    connect: 'unauthenticated',
    title: 'Bootstrap token refused',
    advice: 'Issue a new bootstrap token for the cluster; each is good once and for 24 hours.',
  },
  AGENT_UNAUTHENTICATED: {
    http: 401,
    connect: 'unauthenticated',
    title: 'Agent not authenticated',
    advice: "Renew the agent's token, or enrol it again with a new bootstrap token.",
  },
  AGENT_REVOKED: {
    http: 403,
    connect: 'permission_denied',
    title: 'Agent revoked',
    advice: 'Issue a new bootstrap token for the cluster and give it to the agent.',
  },
  SUPERSEDED: {
    http: 403,
    connect: 'permission_denied',
    title: 'Certificate superseded',
    advice: 'Read the renewed identity from disk and connect with it.',
  },
  INTERNAL_ERROR: {
    http: 500,
    connect: 'internal',
    title: 'Internal error',
    advice: 'Give the correlation id to the operator.',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

/** All codes with their HTTP status, Connect code, title and advice. */
export const errorCatalogue: Readonly<Record<ErrorCode, Entry>> = catalogue;

/** True when the text is a code of the catalogue, e.g. one read from a header. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalogue, text);
}

/** Facts about a refusal for machines: ids, names, instants (ISO 8601). Never a secret. */
export type RefusalMetadata = Readonly<Record<string, string>>;

/**
 * An expected "no". `message` is one self-speaking sentence for the person; `field` names the offending input of a
 * validation error as a JSON path.
 */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly metadata: RefusalMetadata;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, details: RefusalMetadata & { readonly field?: string } = {}) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    const { field, ...metadata } = details;
    this.field = field;
    this.metadata = metadata;
  }
}

/** The page of a code below the documentation's base URL: `AGENT_NOT_CONNECTED` → `<base>agent-not-connected`. */
export function errorPage(baseUrl: string, code: ErrorCode): string {
  const base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
  return base + code.toLowerCase().replaceAll('_', '-');
}

/**
 * How the stand-in says no: Kubernetes' Status object, in Kubernetes' own words, because kubectl prints the sentence
 * and scripts read `reason`. These are the answers of another product's API, so they are not Clustral's catalogue of
 * refusals; only the last step of a request (dispatch.ts) turns an ApiError into an answer.
 */
import type { JsonObject } from './objects.ts';

/** A refusal in the shape `meta/v1` Status. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;

  constructor(code: number, reason: string, saying: { message: string; details?: JsonObject }) {
    super(saying.message);
    this.code = code;
    this.reason = reason;
    this.details = saying.details;
  }

  /** The answer's body. */
  status(): JsonObject {
    const details = this.details === undefined ? {} : { details: this.details };
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...details,
      code: this.code,
    };
  }
}

/** A resource as messages name it: `pods`, `deployments.apps`. */
export interface Named {
  group: string;
  plural: string;
  name: string;
}

/** 400: the request cannot be understood. */
export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', { message });

/** 401: no or a wrong bearer token. */
export const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', { message: 'Unauthorized' });

/** 403 with a reason of its own, about one object. */
export const forbidden = (what: Named, why: string): ApiError =>
  new ApiError(403, 'Forbidden', {
    message: `${qualified(what)}${what.name === '' ? '' : ` "${what.name}"`} is forbidden: ${why}`,
    details: details(what),
  });

/** 403 about a path that is no resource. */
export const forbiddenPath = (why: string): ApiError =>
  new ApiError(403, 'Forbidden', { message: `forbidden: ${why}`, details: {} });

/** 404: no such object. */
export const notFound = (what: Named): ApiError =>
  new ApiError(404, 'NotFound', { message: `${qualified(what)} "${what.name}" not found`, details: details(what) });

/** 404: no such resource or path. `kubectl debug` reads details of it without looking whether there are any. */
export const unknownPath = (): ApiError =>
  new ApiError(404, 'NotFound', { message: 'the server could not find the requested resource', details: {} });

/** 405: the resource exists and does not do this. */
export const methodNotAllowed = (): ApiError =>
  new ApiError(405, 'MethodNotAllowed', {
    message: 'the server does not allow this method on the requested resource',
  });

/** 406: none of the formats the client would accept. */
export const notAcceptable = (formats: string): ApiError =>
  new ApiError(406, 'NotAcceptable', {
    message: `only the following media types are accepted: ${formats}`,
  });

/** 409: the name is taken. */
export const alreadyExists = (what: Named): ApiError =>
  new ApiError(409, 'AlreadyExists', {
    message: `${qualified(what)} "${what.name}" already exists`,
    details: details(what),
  });

/** 409: the object is not the one the caller had seen. */
export const conflict = (what: Named, why: string): ApiError =>
  new ApiError(409, 'Conflict', {
    message: `Operation cannot be fulfilled on ${qualified(what)} "${what.name}": ${why}`,
    details: details(what),
  });

/** 409: somebody else changed the object in between. */
export const stale = (what: Named): ApiError =>
  conflict(what, 'the object has been modified; please apply your changes to the latest version and try again');

/** 410: the revision is older than the history kept. */
export const expired = (message: string): ApiError => new ApiError(410, 'Expired', { message });

/** 413: the body or the object is larger than the limit. */
export const tooLarge = (bytes: number): ApiError =>
  new ApiError(413, 'RequestEntityTooLarge', { message: `Request entity too large: limit is ${bytes}` });

/** 415: a body in a format, or of a kind, that cannot be read. */
export const unsupportedMediaType = (message: string): ApiError =>
  new ApiError(415, 'UnsupportedMediaType', { message });

/** One broken rule of an object. */
export interface FieldFault {
  field: string;
  reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden' | 'FieldValueNotSupported';
  message: string;
}

/** 422: the object breaks rules; all of them are named at once. */
export function invalid(kind: { group: string; kind: string; name: string }, faults: readonly FieldFault[]): ApiError {
  const sentences = faults.map((fault) => `${fault.field}: ${fault.message}`);
  const said = sentences.length === 1 ? (sentences[0] ?? '') : `[${sentences.join(', ')}]`;
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return new ApiError(422, 'Invalid', {
    message: `${qualifiedKind} "${kind.name}" is invalid: ${said}`,
    details: { name: kind.name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.kind, causes: faults },
  });
}

/** 429: a limit of the stand-in is reached; trying later may help. */
export const tooManyRequests = (message: string): ApiError =>
  new ApiError(429, 'TooManyRequests', { message, details: { retryAfterSeconds: 5 } });

/** 501: Kubernetes can do this and the stand-in cannot. */
export const notImplemented = (message: string): ApiError => new ApiError(501, 'NotImplemented', { message });

/** 500: ours; the cause goes to the log, never to the client. */
export const internalError = (): ApiError =>
  new ApiError(500, 'InternalError', { message: 'Internal error occurred: the stand-in failed; see its log' });

/** 200: an answer that says a deletion is done. */
export function success(what: Named & { uid: string }): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...details(what), uid: what.uid },
  };
}

function qualified(what: Named): string {
  return what.group === '' ? what.plural : `${what.plural}.${what.group}`;
}

function details(what: Named): JsonObject {
  return {
    ...(what.name === '' ? {} : { name: what.name }),
    ...(what.group === '' ? {} : { group: what.group }),
    kind: what.plural,
  };
}

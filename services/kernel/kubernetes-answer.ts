/**
 * How a refusal looks on the way to a cluster. Kubernetes clients throw a plain text away under most statuses (client-go keeps it
 * under 403 and 5xx other than 503 and 504) and show a `Status` object as it is, except while they discover, where it is
 * text that they show. So: text, and a `Status` for whoever asks for JSON and does not discover (decision 0013).
 */
import type { IncomingMessage } from 'node:http';
import { errorCatalogue, errorPage } from '@clustral/schemas/errors.ts';
import { printableMessage, refusalOf, textAnswer, type ErrorAnswer, type ErrorContext } from './http-errors.ts';

/** Of the path behind the cluster's id: what discovery and OpenAPI are asked for. */
const discovery = /^\/api\/proxy\/[^/?]+\/(?:api|apis|version|api\/v1|apis\/[^/?]+(?:\/[^/?]+)?|openapi\/.*)?(?:\?|$)/;

/** Reasons that Kubernetes clients know, by status (apimachinery, meta/v1/types.go: `StatusReason`). */
const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

type Asked = Pick<IncomingMessage, 'url' | 'headers'>;

/** The answer on `/api/proxy/*`, in the form that whoever asked will show. The facts are in headers either way. */
export function kubernetesAnswer(thrown: unknown, context: ErrorContext, request: Asked): ErrorAnswer {
  const text = textAnswer(thrown, context);
  // Of a 401 they show their own words whatever it says.
  if (text.status === 401 || !readsStatus(request)) return text;
  const { code, message, metadata } = refusalOf(thrown);
  const status = errorCatalogue[code].http;
  const seconds = Number(metadata['retryAfterSeconds']);
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: printableMessage(message),
    reason: reasons[status] ?? 'InternalError',
    details: {
      causes: [{ reason: code, message: errorPage(context.docsBaseUrl, code) }],
      ...(Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {}),
    },
    code: status,
  });
  const headers = {
    ...text.headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  };
  return { ...text, headers, body };
}

function readsStatus({ url = '', headers }: Asked): boolean {
  if (headers.upgrade !== undefined || discovery.test(url)) return false;
  return /(?:^|[,\s])application\/json\b/.test(headers.accept ?? '');
}

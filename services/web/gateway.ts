/**
 * The gateway as this service calls it: with a person's access token, like every other client. What goes on of a browser's request
 * is what this page lists; what says who somebody is or where they come from is written here (UI-08).
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { Refusal } from '@clustral/schemas/errors.ts';
import { MeSchema, type Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { fromRestJson } from '@clustral/schemas/rest-json.ts';
import { correlationHeader, positionHeader } from '@clustral/schemas/tokens.ts';
import type { Correlation } from '@clustral/kernel/correlation.ts';

/** On whose behalf the gateway is called. */
export type Behalf = {
  readonly accessToken: string;
  /** Address of the browser. */
  readonly sourceAddress: string;
  readonly userAgent: string | undefined;
  readonly correlation: Correlation;
};

export type Carried = {
  readonly method: 'GET' | 'POST';
  /** Path below the origin, with its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
  readonly signal: AbortSignal;
};

export type Gateway = {
  /** The person of the token as the control plane knows them. Throws `CallerRefused` or `UPSTREAM_UNAVAILABLE`. */
  me(behalf: Behalf): Promise<Me>;
  /** Ends a kubeconfig credential. Throws when it was not ended. */
  revokeCredential(behalf: Behalf, credentialId: string): Promise<void>;
  /** Sends a browser's request on. Throws `UPSTREAM_UNREACHABLE` or `UPSTREAM_TIMEOUT`, and the signal's reason. */
  carry(behalf: Behalf, carried: Carried): Promise<Dispatcher.ResponseData>;
};

/** The person may not use Clustral, or the token is not taken: the server's sentence. */
export class CallerRefused extends Error {}

const answerLimitMs = 10_000;

/** Headers of a browser's call that go on. `accept-encoding` does, so that answers are compressed once, where they are made. */
const carriedHeaders = [
  'accept',
  'accept-encoding',
  'connect-accept-encoding',
  'connect-content-encoding',
  'connect-protocol-version',
  'connect-timeout-ms',
  'content-encoding',
  'content-type',
  'idempotency-key',
  positionHeader,
] as const;

/** The gateway at the given origin. */
export function createGateway(origin: string, dispatcher: Dispatcher): Gateway {
  const ask = (behalf: Behalf, method: 'GET' | 'DELETE', path: string): Promise<Dispatcher.ResponseData> =>
    orRefusal(
      dispatcher.request({
        origin,
        path,
        method,
        headers: { ...headersOf(behalf), accept: 'application/json' },
        signal: AbortSignal.timeout(answerLimitMs),
      }),
    );
  return {
    async me(behalf) {
      const { statusCode, body } = await ask(behalf, 'GET', '/api/v1/users/me');
      if (statusCode === 200) return fromRestJson(MeSchema, (await body.json()) as never) as Me;
      const sentence = await detailOf(body);
      if (statusCode === 401 || statusCode === 403) throw new CallerRefused(sentence);
      throw new Refusal(
        'UPSTREAM_UNAVAILABLE',
        'Clustral cannot say who you are just now. Try again in a few seconds.',
      );
    },
    async revokeCredential(behalf, credentialId) {
      const { statusCode, body } = await ask(
        behalf,
        'DELETE',
        `/api/v1/auth/credentials/${encodeURIComponent(credentialId)}`,
      );
      await body.dump();
      // One that is not there any more is as good as ended.
      if (statusCode >= 300 && statusCode !== 404) throw new Error(`revoking was answered with ${statusCode}`);
    },
    carry: (behalf, { method, path, headers, body, signal }) =>
      orRefusal(
        dispatcher.request({
          origin,
          path,
          method,
          headers: { ...carriedOf(headers), ...headersOf(behalf) },
          body: body ?? null,
          signal,
        }),
      ),
  };
}

function carriedOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    carriedHeaders.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function headersOf({ accessToken, sourceAddress, userAgent, correlation }: Behalf): Record<string, string> {
  const { correlationId, traceparent } = correlation;
  return {
    authorization: `Bearer ${accessToken}`,
    'x-forwarded-for': sourceAddress,
    [correlationHeader]: correlationId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
  };
}

/** The sentence of a problem (RFC 9457), which may be text of anybody. */
async function detailOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const text = await body.text();
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
  } catch {
    // A proxy in between answered with a page of its own.
  }
  return 'Clustral does not take you in.';
}

async function orRefusal(answer: Promise<Dispatcher.ResponseData>): Promise<Dispatcher.ResponseData> {
  return answer.catch((cause: unknown) => {
    if (cause instanceof Refusal) throw cause;
    const { code = '', name } = cause as { code?: string; name?: string };
    if (name === 'TimeoutError' || /HEADERS_TIMEOUT|BODY_TIMEOUT/.test(code)) {
      throw new Refusal(
        'UPSTREAM_TIMEOUT',
        'The gateway took too long to answer. The request may have been carried out.',
      );
    }
    throw new Refusal('UPSTREAM_UNREACHABLE', 'The gateway does not answer. Try again in a few seconds.');
  });
}

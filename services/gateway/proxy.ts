/**
 * The kubectl path, `/api/proxy/*`, ahead of the router: credential, limit, size, then on to the control plane with the
 * target and the header lines byte for byte as they came. Refusals are one line of plain text, which kubectl shows as it is
 * (D20), and are told to the audit (D31). What the path means is the control plane's to say; here only its prefix is known.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { errorCatalogue, Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import { isUuid } from '@clustral/schemas/ids.ts';
import { correlationHeader, internalTokenHeader } from '@clustral/schemas/tokens.ts';
import type { Correlation } from '@clustral/kernel/correlation.ts';
import { refusalOf, textAnswer } from '@clustral/kernel/http-errors.ts';
import { correlationOf } from '@clustral/kernel/http-server.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { answerOnSocket, sendAnswer } from './answers.ts';
import type { Authenticator, Session } from './authenticate.ts';
import { carry } from './carry.ts';
import { onwardRawHeaders, valuesOf } from './headers.ts';
import { countStranger, type RateLimits } from './rate-limit.ts';
import { printableTarget, type RefusalReporter } from './refusals.ts';
import { refuseAnnouncedLength } from './request-body.ts';
import { hasBody } from './request-hygiene.ts';
import type { AddressOf } from './source-address.ts';

export type KubectlProxyOptions = {
  readonly pool: Dispatcher;
  readonly authenticator: Authenticator;
  readonly limits: RateLimits;
  readonly refusals: RefusalReporter;
  readonly addressOf: AddressOf;
  readonly docsBaseUrl: string;
  readonly now: () => Date;
  readonly log: Log;
};

export type KubectlProxy = {
  /** Answers one request; it never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Answers a request to change the protocol and ends the connection; pipelined bytes go nowhere. */
  upgrade(request: IncomingMessage, socket: Duplex): void;
};

/** The kubectl path of the gateway. */
export function createKubectlProxy(options: KubectlProxyOptions): KubectlProxy {
  return {
    handle(request, response) {
      const arrival = arrivalOf(request, options);
      const refuse = (thrown: unknown): void => sendAnswer(request, response, refusalAnswer(thrown, arrival, options));
      admit(arrival, options)
        .then((internalToken) => {
          if (response.destroyed) return;
          const { correlation } = arrival;
          carry(options.pool, {
            request,
            response,
            headers: onwardRawHeaders(request, addedHeaders(arrival, internalToken)),
            answerAdditions: [
              [correlationHeader, correlation.correlationId],
              ['traceresponse', correlation.traceresponse],
            ],
            failed: (refusal, cause) => {
              const { correlationId } = correlation;
              if (refusal !== cause)
                options.log.warn({ err: cause, correlationId }, 'the control plane did not answer');
              refuse(refusal);
            },
          });
        })
        .catch(refuse);
    },
    upgrade(request, socket) {
      const arrival = arrivalOf(request, options);
      socket.on('error', () => socket.destroy());
      upgradeRefusal(arrival, options)
        .then((thrown) => answerOnSocket(socket, refusalAnswer(thrown, arrival, options)))
        .catch((cause: unknown) => {
          options.log.error({ err: cause }, 'an upgrade could not be refused');
          socket.destroy();
        });
    },
  };
}

/** A request and what is known of it before anybody is recognised. */
type Arrival = {
  readonly request: IncomingMessage;
  readonly correlation: Correlation;
  readonly sourceAddress: string;
  session: Session | undefined;
};

function arrivalOf(request: IncomingMessage, { addressOf }: KubectlProxyOptions): Arrival {
  return {
    request,
    correlation: correlationOf(request),
    sourceAddress: addressOf(request.socket.remoteAddress, valuesOf(request, 'x-forwarded-for')),
    session: undefined,
  };
}

/** Lets a request in and gives the internal token to send with it. Throws a `Refusal`. */
async function admit(arrival: Arrival, options: KubectlProxyOptions): Promise<string> {
  const { authenticator, limits } = options;
  const session = await authenticator.credential(arrival.request).catch(countStranger(limits, arrival.sourceAddress));
  arrival.session = session;
  const turn = limits.credential(session.key);
  if (turn) await turn;
  refuseAnnouncedLength(arrival.request);
  return session.internalToken();
}

async function upgradeRefusal(arrival: Arrival, options: KubectlProxyOptions): Promise<unknown> {
  const protocol = arrival.request.headers.upgrade?.toLowerCase();
  if ((protocol !== 'websocket' && protocol !== 'spdy/3.1') || hasBody(arrival.request)) {
    return new Refusal('BAD_REQUEST', 'Only websocket and SPDY/3.1 can be asked for here, and without a body.');
  }
  return admit(arrival, options).then(
    () =>
      new Refusal(
        'BAD_REQUEST',
        'Connections that change their protocol (exec, attach, port-forward, cp) are not carried yet.',
      ),
    (thrown: unknown) => thrown,
  );
}

function addedHeaders({ correlation, sourceAddress }: Arrival, internalToken: string): string[] {
  const added = [
    internalTokenHeader,
    internalToken,
    correlationHeader,
    correlation.correlationId,
    'x-forwarded-for',
    sourceAddress,
  ];
  if (correlation.traceparent !== undefined) added.push('traceparent', correlation.traceparent);
  return added;
}

function refusalAnswer(thrown: unknown, arrival: Arrival, options: KubectlProxyOptions): ReturnType<typeof textAnswer> {
  const { correlation } = arrival;
  if (!(thrown instanceof Refusal)) {
    options.log.error(
      { err: thrown, correlationId: correlation.correlationId },
      'a request on the kubectl path failed in a way nobody foresaw',
    );
  }
  const refusal = refusalOf(thrown);
  report(refusal, arrival, options);
  const answer = textAnswer(refusal, { docsBaseUrl: options.docsBaseUrl, correlationId: correlation.correlationId });
  return { ...answer, headers: { ...answer.headers, traceresponse: correlation.traceresponse } };
}

/** Refusals of somebody's access, which the audit must have; a service that is down is no such thing. */
const audited = new Set<ErrorCode>(['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN', 'RATE_LIMITED', 'REQUEST_TOO_LARGE']);

function report(refusal: Refusal, arrival: Arrival, { refusals, now }: KubectlProxyOptions): void {
  if (!audited.has(refusal.code)) return;
  const { request, correlation, sourceAddress, session } = arrival;
  const target = request.url ?? '/';
  const [, , , clusterId = ''] = target.split(/[/?]/, 4);
  refusals.report({
    requestId: randomUUID(),
    at: now().toISOString(),
    clusterId: isUuid(clusterId) ? clusterId.toLowerCase() : null,
    credentialId: session?.credentialId ?? null,
    errorCode: refusal.code,
    status: errorCatalogue[refusal.code].http,
    method: request.method ?? 'GET',
    path: printableTarget(target),
    sourceAddress,
    userAgent: request.headers['user-agent']?.slice(0, 256) ?? null,
    correlationId: correlation.correlationId,
  });
}

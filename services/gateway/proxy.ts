/**
 * The kubectl path, `/api/proxy/*`, ahead of the router: credential, limit, size, then on to the control plane with the
 * target and the header lines byte for byte as they came; what asks for another protocol goes the same way. Refusals are
 * one line of plain text, which kubectl shows as it is (D20), and are told to the audit (D31). What the path means is the
 * control plane's to say; here only its prefix is known.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { errorCatalogue, Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import { isUuid } from '@clustral/schemas/ids.ts';
import { correlationHeader, internalTokenHeader } from '@clustral/schemas/tokens.ts';
import type { Correlation } from '@clustral/kernel/correlation.ts';
import { refusalOf, type ErrorAnswer } from '@clustral/kernel/http-errors.ts';
import { kubernetesAnswer } from '@clustral/kernel/kubernetes-answer.ts';
import { correlationOf } from '@clustral/kernel/http-server.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { askedProtocol, responseOn } from '@clustral/kernel/upgrade.ts';
import { noteWhenOver, type AccessLog } from './access-log.ts';
import { sendAnswer } from './answers.ts';
import type { Authenticator } from './authenticate.ts';
import { carry } from './carry.ts';
import { onwardRawHeaders, valuesOf } from './headers.ts';
import { countStranger, type RateLimits } from './rate-limit.ts';
import { createRawStreams } from './raw-streams.ts';
import { printableTarget, type RefusalReporter } from './refusals.ts';
import { refuseAnnouncedLength } from './request-body.ts';
import type { AddressOf } from './source-address.ts';

export type KubectlProxyOptions = {
  readonly pool: Dispatcher;
  /** For requests to leave HTTP: a connection each, whose two directions end by themselves. */
  readonly upgradePool: Dispatcher;
  readonly authenticator: Authenticator;
  readonly limits: RateLimits;
  readonly refusals: RefusalReporter;
  readonly addressOf: AddressOf;
  readonly docsBaseUrl: string;
  readonly now: () => Date;
  readonly log: Log;
  readonly accessLog: AccessLog;
};

export type KubectlProxy = {
  /** Answers one request; it never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** The same for a request to leave HTTP, whose connection is the proxy's from then on. `head`: what came behind it. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** Nothing new is let in any more. */
  refuseNew(): void;
  /** Breaks off every connection that left HTTP, or asked to. */
  endUpgraded(): void;
};

/** The kubectl path of the gateway. */
export function createKubectlProxy(options: KubectlProxyOptions): KubectlProxy {
  const streams = createRawStreams();
  let stopping = false;
  const serve = (request: IncomingMessage, response: ServerResponse, socket?: Socket): void => {
    const arrival = arrivalOf(request, options);
    noteWhenOver(options.accessLog, response, arrival);
    const refuse = (thrown: unknown): void => sendAnswer(request, response, refusalAnswer(thrown, arrival, options));
    if (stopping) return refuse(restarting());
    const admitted = async (): Promise<void> => {
      const switching = socket && { protocol: askedProtocol(request), socket };
      const internalToken = await admit(arrival, options);
      if (response.destroyed) return;
      carry(switching ? options.upgradePool : options.pool, {
        request,
        response,
        switching,
        headers: onwardRawHeaders(request, addedHeaders(arrival, internalToken)),
        answerAdditions: answerAdditions(arrival),
        failed: (refusal, cause) => {
          const { correlationId } = arrival.correlation;
          if (refusal !== cause) options.log.warn({ err: cause, correlationId }, 'the control plane did not answer');
          refuse(refusal);
        },
      });
    };
    admitted().catch(refuse);
  };
  return {
    handle: (request, response) => serve(request, response),
    upgrade(request, socket, head) {
      const response = responseOn(request, socket, head);
      if (response === undefined) return;
      streams.add(socket);
      serve(request, response, socket);
    },
    refuseNew: () => void (stopping = true),
    endUpgraded: () => streams.breakOff(),
  };
}

const restarting = (): Refusal =>
  new Refusal('UPSTREAM_UNAVAILABLE', 'The gateway is being restarted. Try again in a few seconds.');

/** A request and what is known of it before anybody is recognised. */
type Arrival = {
  readonly request: IncomingMessage;
  readonly correlation: Correlation;
  readonly correlationId: string;
  readonly sourceAddress: string;
  credentialId: string | null;
};

function arrivalOf(request: IncomingMessage, { addressOf }: KubectlProxyOptions): Arrival {
  const correlation = correlationOf(request);
  return {
    request,
    correlation,
    correlationId: correlation.correlationId,
    sourceAddress: addressOf(request.socket.remoteAddress, valuesOf(request, 'x-forwarded-for')),
    credentialId: null,
  };
}

/** Lets a request in and gives the internal token to send with it. Throws a `Refusal`. */
async function admit(arrival: Arrival, options: KubectlProxyOptions): Promise<string> {
  const { authenticator, limits } = options;
  const session = await authenticator.credential(arrival.request).catch(countStranger(limits, arrival.sourceAddress));
  arrival.credentialId = session.credentialId;
  const turn = limits.credential(session.key);
  if (turn) await turn;
  refuseAnnouncedLength(arrival.request);
  return session.internalToken();
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

const answerAdditions = ({ correlation }: Arrival): string[] => [
  correlationHeader,
  correlation.correlationId,
  'traceresponse',
  correlation.traceresponse,
];

function refusalAnswer(thrown: unknown, arrival: Arrival, options: KubectlProxyOptions): ErrorAnswer {
  const { correlation } = arrival;
  if (!(thrown instanceof Refusal)) {
    options.log.error(
      { err: thrown, correlationId: correlation.correlationId },
      'a request on the kubectl path failed in a way nobody foresaw',
    );
  }
  const refusal = refusalOf(thrown);
  report(refusal, arrival, options);
  const context = { docsBaseUrl: options.docsBaseUrl, correlationId: correlation.correlationId };
  const answer = kubernetesAnswer(refusal, context, arrival.request);
  return { ...answer, headers: { ...answer.headers, traceresponse: correlation.traceresponse } };
}

/** Refusals of somebody's access, which the audit must have; a service that is down is no such thing. */
const audited = new Set<ErrorCode>(['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN', 'RATE_LIMITED', 'REQUEST_TOO_LARGE']);

function report(refusal: Refusal, arrival: Arrival, { refusals, now }: KubectlProxyOptions): void {
  if (!audited.has(refusal.code)) return;
  const { request, correlationId, credentialId, sourceAddress } = arrival;
  const target = request.url ?? '/';
  const [, , , clusterId = ''] = target.split(/[/?]/, 4);
  refusals.report({
    requestId: randomUUID(),
    at: now().toISOString(),
    clusterId: isUuid(clusterId) ? clusterId.toLowerCase() : null,
    credentialId,
    errorCode: refusal.code,
    status: errorCatalogue[refusal.code].http,
    method: request.method ?? 'GET',
    path: printableTarget(target),
    sourceAddress,
    userAgent: request.headers['user-agent']?.slice(0, 256) ?? null,
    correlationId,
  });
}

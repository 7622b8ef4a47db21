/**
 * The calls of the tunnel that run on the stock Connect path: enrolment, renewals and `Control`. Who calls was settled by the
 * authenticator before; here a call is matched with its handler, and what is refused leaves as a Connect error with its code.
 */
import { randomUUID } from 'node:crypto';
import {
  createContextKey,
  createContextValues,
  type ConnectError,
  type ConnectRouter,
  type HandlerContext,
} from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { TunnelService, type ControlUp } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { connectError } from '@clustral/kernel/http-errors.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { CertificateAuthority } from '../certificate-authority.ts';
import type { PresentedIdentity } from '../domain/cluster-agent.ts';
import type { AgentProcess, Connection, ControlMessage } from './connection.ts';
import { speak } from './control.ts';
import type { CallOrigin, Enrolment } from './enrolment.ts';
import type { Outbox } from '@clustral/kernel/outbox.ts';
import type { RefusedCall, TunnelCall } from './listener.ts';

export type CallDeps = {
  readonly enrolment: Enrolment;
  readonly authority: CertificateAuthority;
  readonly epoch: number;
  readonly docsBaseUrl: string;
  readonly now: () => Date;
  readonly log: Log;
  /** Makes a connection known. Throws when it may not be. */
  readonly open: (call: TunnelCall, process: AgentProcess, outbox: Outbox<ControlMessage>) => Connection;
  readonly onRefused: (refused: RefusedCall) => void;
};

/** How long the last words on `Control` have to get out. */
const farewellMs = 300;
const largestMessage = 65_536;
const callKey = createContextKey<TunnelCall | undefined>(undefined, { description: 'a call on the tunnel' });

/** Answers calls that were authenticated. */
export function createCallHandler(deps: CallDeps): (call: TunnelCall) => void {
  const calls = new WeakMap<object, TunnelCall>();
  const adapter = connectNodeAdapter({
    routes: (router) => route(router, deps),
    grpc: false,
    grpcWeb: false,
    acceptCompression: [],
    readMaxBytes: largestMessage,
    contextValues: (request) => createContextValues().set(callKey, calls.get(request)),
  });
  return (call) => {
    calls.set(call.request, call);
    adapter(call.request, call.response);
  };
}

function route(router: ConnectRouter, deps: CallDeps): void {
  const { enrolment } = deps;
  const { registerAgent, renewCertificate, renewToken } = AgentService.method;
  router.rpc(registerAgent, (request, context) =>
    answer(context, { ...deps, claimedId: request.clusterId }, ({ origin }) => enrolment.register(request, origin)),
  );
  router.rpc(renewCertificate, (request, context) =>
    answer(context, deps, ({ origin, identity }) => enrolment.renewCertificate(request, identity(), origin)),
  );
  router.rpc(renewToken, (_request, context) =>
    answer(context, deps, ({ origin, identity }) => enrolment.renewToken(identity(), origin)),
  );
  const control = (requests: AsyncIterable<ControlUp>, context: HandlerContext) => speakOn(requests, context, deps);
  router.rpc(TunnelService.method.control, control);
}

type Asked = { readonly origin: CallOrigin; readonly identity: () => PresentedIdentity };

async function answer<Answer>(
  context: HandlerContext,
  deps: CallDeps & { readonly claimedId?: string },
  handle: (asked: Asked) => Promise<Answer>,
): Promise<Answer> {
  const call = callOf(context);
  const origin = { sourceAddress: call.context.sourceAddress, correlationId: randomUUID() };
  try {
    return await handle({ origin, identity: () => identityOf(call) });
  } catch (thrown) {
    const { claimedId = '' } = deps;
    throw told(thrown, deps, { call, method: context.method.name, correlationId: origin.correlationId, claimedId });
  }
}

async function* speakOn(requests: AsyncIterable<ControlUp>, context: HandlerContext, deps: CallDeps) {
  const call = callOf(context);
  try {
    yield* speak(requests, {
      epoch: deps.epoch,
      trustBundlePem: deps.authority.trusted.join('\n'),
      now: deps.now,
      open: (process, outbox) => deps.open(call, process, outbox),
      close: ({ parts }) => void setTimeout(() => parts.session.destroy(), farewellMs).unref(),
      signal: context.signal,
    });
  } catch (thrown) {
    throw told(thrown, deps, { call, method: context.method.name, correlationId: randomUUID() });
  }
}

type Told = {
  readonly call: TunnelCall;
  readonly method: string;
  readonly correlationId: string;
  readonly claimedId?: string;
};

function told(thrown: unknown, deps: CallDeps, { call, method, correlationId, claimedId = '' }: Told): ConnectError {
  if (thrown instanceof Refusal) deps.onRefused({ refusal: thrown, context: call.context, method, claimedId });
  else deps.log.error({ err: thrown, correlationId }, `${method} failed in a way nobody foresaw`);
  return connectError(thrown, { docsBaseUrl: deps.docsBaseUrl, correlationId });
}

function callOf(context: HandlerContext): TunnelCall {
  const call = context.values.get(callKey);
  if (!call) throw new Error('a handler of the tunnel was called past the authenticator');
  return call;
}

function identityOf({ caller }: TunnelCall): PresentedIdentity {
  if (caller.kind !== 'agent') throw new Error('a method for agents was let through without one');
  return caller.identity;
}

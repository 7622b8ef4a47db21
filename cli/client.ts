/**
 * Typed clients of the admin API for the signed-in account: bearer, deadline, one retry after a refresh. What a command wrote it sees, and so does the
 * next one: the log position of the last answer travels with the next question.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { Code, ConnectError, createClient, type Client, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { DescService } from '@bufbuild/protobuf';
import { positionHeader } from '@clustral/schemas/tokens.ts';
import { lastPosition, rememberPosition } from './last-position.ts';
import type { Account, Profile, ProfileConfig } from './profile.ts';
import { keepTokens } from './token-keeper.ts';
import { serverCas } from './trust.ts';
import { version } from './version.ts';

/** A signed-in session. */
export type Session = {
  readonly config: ProfileConfig;
  readonly profile: Profile;
  account(): Account;
  client<S extends DescService>(service: S): Client<S>;
  /** Has the token renewed if it is time for that. Throws exit code 4 when the session has ended. */
  ensureSignedIn(): Promise<void>;
};

export type SessionOptions = {
  readonly profile: Profile;
  readonly config: ProfileConfig;
  readonly account: Account;
  readonly timeoutMs: number;
  readonly now: () => Date;
  /** False for an account that is not on disk: not yet, or just forgotten. */
  readonly isKept?: boolean;
  /** Says under `--debug` how calls went. */
  readonly trace?: Interceptor;
};

const largestAnswer = 32 * 1024 * 1024;

/** A session for the account. Nothing is sent before the first call. */
export function openSession(options: SessionOptions): Session {
  const isKept = options.isKept ?? true;
  const tokens = keepTokens({
    ...options,
    isKept,
    async refresh(account) {
      const { refresh } = await import('./identity-provider.ts');
      return refresh(account, { ...options.config, timeoutMs: options.timeoutMs }, options.now());
    },
  });
  const transport = transportTo(options, [
    readingOwnWrites({ ...options, account: tokens.account(), isKept }),
    authenticating(tokens),
  ]);
  return {
    config: options.config,
    profile: options.profile,
    account: () => tokens.account(),
    client: (service) => createClient(service, transport),
    async ensureSignedIn() {
      await tokens.freshToken();
    },
  };
}

/** Clients for the calls that anybody may make; no token goes along. */
export function openAnonymously(
  options: Pick<SessionOptions, 'config' | 'timeoutMs' | 'trace'>,
): <S extends DescService>(service: S) => Client<S> {
  const transport = transportTo(options, []);
  return (service) => createClient(service, transport);
}

function transportTo(
  { config, timeoutMs, trace }: Pick<SessionOptions, 'config' | 'timeoutMs' | 'trace'>,
  interceptors: readonly Interceptor[],
): Transport {
  return createConnectTransport({
    baseUrl: config.discovery.controlPlaneUrl,
    httpVersion: '1.1',
    nodeOptions: { agent: agentFor(config) },
    defaultTimeoutMs: timeoutMs,
    interceptors: [...(trace === undefined ? [] : [trace]), naming, ...interceptors],
    acceptCompression: [],
    readMaxBytes: largestAnswer,
  });
}

const naming: Interceptor = (next) => (request) => {
  request.header.set('user-agent', `clustral-cli/${version}`);
  return next(request);
};

function agentFor({ discovery, caPem }: ProfileConfig): HttpAgent {
  if (discovery.controlPlaneUrl.startsWith('http:')) return new HttpAgent({ keepAlive: true });
  // Made once: with the machine's list of CAs it costs 15 ms for each connection otherwise.
  return new HttpsAgent({ keepAlive: true, secureContext: createSecureContext({ ca: serverCas(caPem) }) });
}

function authenticating(tokens: ReturnType<typeof keepTokens>): Interceptor {
  return (next) => async (request) => {
    const token = await tokens.freshToken();
    request.header.set('authorization', `Bearer ${token}`);
    try {
      return await next(request);
    } catch (cause) {
      if (!(cause instanceof ConnectError) || cause.code !== Code.Unauthenticated) throw cause;
      const other = await tokens.tokenInsteadOf(token);
      if (other === undefined) throw cause;
      request.header.set('authorization', `Bearer ${other}`);
      return next(request);
    }
  };
}

function readingOwnWrites(
  place: Pick<SessionOptions, 'profile' | 'account' | 'now'> & { isKept: boolean },
): Interceptor {
  let position = place.isKept ? lastPosition(place) : undefined;
  return (next) => async (request) => {
    if (position !== undefined) request.header.set(positionHeader, position);
    const response = await next(request);
    const reached = response.header.get(positionHeader);
    if (reached !== null && reached !== position) {
      position = reached;
      if (place.isKept) await rememberPosition(place, reached);
    }
    return response;
  };
}

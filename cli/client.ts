/**
 * Typed clients of the admin API for the signed-in account: bearer, deadline, one retry after a refresh. What a command wrote it sees: the log position of
 * its last answer travels with its next question.
 */
import { Code, ConnectError, createClient, type Client, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { DescService } from '@bufbuild/protobuf';
import { positionHeader } from '@clustral/schemas/tokens.ts';
import { CliError, exitCodes } from './failure.ts';
import { saveAccount, type Account, type Profile, type ProfileConfig } from './profile.ts';
import { refresh } from './sign-in.ts';
import { trustedCas } from './trust.ts';
import { version } from './version.ts';

/** A signed-in session. */
export type Session = {
  readonly config: ProfileConfig;
  readonly profile: Profile;
  account(): Account;
  client<S extends DescService>(service: S): Client<S>;
};

export type SessionOptions = {
  readonly profile: Profile;
  readonly config: ProfileConfig;
  readonly account: Account;
  readonly timeoutMs: number;
  readonly now: () => Date;
  /** False when renewed tokens must not be written again: the account was just forgotten. */
  readonly remember?: boolean;
  /** Takes one line per call under `--debug`; never a token. */
  readonly trace?: (line: string) => void;
};

const refreshAheadMs = 30_000;

/** A session for the account. Nothing is sent before the first call. */
export function openSession(options: SessionOptions): Session {
  let account = options.account;
  let position: string | undefined;

  const renew = async (): Promise<void> => {
    account = await refresh(account, options.config);
    if (options.remember ?? true) await saveAccount(options.profile, account);
  };
  const authenticate: Interceptor = (next) => async (request) => {
    if (Date.parse(account.accessTokenExpiresAt) - options.now().getTime() < refreshAheadMs) await renew();
    const send = () => {
      request.header.set('authorization', `Bearer ${account.accessToken}`);
      request.header.set('user-agent', `clustral-cli/${version}`);
      if (position !== undefined) request.header.set(positionHeader, position);
      return next(request);
    };
    const begun = performance.now();
    const response = await send().catch(async (cause: unknown) => {
      options.trace?.(`${request.method.name}: ${(cause as Error).message}`);
      if (!(cause instanceof ConnectError) || cause.code !== Code.Unauthenticated || account.refreshToken === undefined)
        throw cause;
      await renew();
      return send();
    });
    options.trace?.(
      `${request.method.name}: ok in ${Math.round(performance.now() - begun)} ms, ref ${response.header.get('x-correlation-id') ?? 'none'}`,
    );
    position = response.header.get(positionHeader) ?? position;
    return response;
  };
  const transport = createConnectTransport({
    baseUrl: options.config.discovery.controlPlaneUrl,
    httpVersion: '1.1',
    nodeOptions: { ca: trustedCas(options.config.caPem) },
    defaultTimeoutMs: options.timeoutMs,
    interceptors: [authenticate],
    acceptCompression: [],
  });
  return {
    config: options.config,
    profile: options.profile,
    account: () => account,
    client: (service) => createClient(service, transport),
  };
}

/** All items of a paged list, at most `limit`. */
export async function collect<T>(
  limit: number,
  page: (pageToken: string, pageSize: number) => Promise<{ items: readonly T[]; next: string }>,
): Promise<{ items: readonly T[]; more: boolean }> {
  const items: T[] = [];
  let token = '';
  do {
    const answer = await page(token, Math.min(200, limit - items.length));
    items.push(...answer.items);
    token = answer.next;
  } while (token !== '' && items.length < limit);
  return { items, more: token !== '' };
}

/** The whole number of a flag. */
export function wholeNumber(flag: string, text: string, range: readonly [min: number, max: number]): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < range[0] || number > range[1])
    throw new CliError(exitCodes.usage, `${flag} must be a whole number from ${range[0]} to ${range[1]}`);
  return number;
}

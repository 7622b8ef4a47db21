/**
 * The signing keys of the identity provider, as its metadata names them (OpenID Connect Discovery 1.0). They are fetched
 * before anybody waits for them and again every few minutes, so a removed key is refused within 10 min; a key id that is
 * not known makes one more fetch, at most every 30 s, however many tokens name one (GW-20). The last keys that were
 * fetched are good for 10 min; after that nothing is verified any more and the answer is 503, not 401 (F-33).
 *
 * It refuses answers that are no JSON, larger than 1 MB, slower than 5 s, redirected, or of another issuer (ID-07).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import { request, type Dispatcher } from 'undici';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Log } from '@clustral/kernel/log.ts';

export type IdentityKeys = {
  /** Keys that a token with this header may be signed with. Throws `INVALID_TOKEN` or `UPSTREAM_UNAVAILABLE`. */
  candidates(header: JWTHeaderParameters): Promise<readonly CryptoKey[]>;
  /** Rises with every fetch that succeeded: what was verified under an older one is to be verified again. */
  generation(): number;
  /** Why tokens cannot be verified, in words; nothing when they can. */
  notReady(): string | undefined;
  /** Fetches until stopped. */
  start(): void;
  stop(): void;
};

export type IdentityKeysOptions = {
  readonly authority: string;
  readonly metadataAddress: string;
  readonly dispatcher: Dispatcher;
  readonly log: Log;
  /** Milliseconds on a monotonic clock. */
  readonly monotonicMs: () => number;
};

const fetchTimeoutMs = 5_000;
const mostBytes = 1024 * 1024;
const coolDownMs = 30_000;
const longestAgeMs = 600_000;
const refreshEveryMs = 240_000;
const firstRetryMs = { least: 250, most: 5_000 };
/** Keys that share one id are all tried, but not endlessly (ID-07). */
const mostCandidates = 4;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** Keys of the provider whose metadata are at the given address. Nothing is fetched before `start` or a first token. */
export function createIdentityKeys(options: IdentityKeysOptions): IdentityKeys {
  const stopped = new AbortController();
  let known: { readonly set: KeySet; readonly fetchedAtMs: number } | undefined;
  let generation = 0;
  let lastAttemptMs = Number.NEGATIVE_INFINITY;
  let running: Promise<boolean> | undefined;
  let problem = 'its keys were not fetched yet';

  const attempt = async (): Promise<boolean> => {
    lastAttemptMs = options.monotonicMs();
    try {
      known = { set: await fetchKeys(options), fetchedAtMs: options.monotonicMs() };
      generation += 1;
      return true;
    } catch (cause) {
      problem = cause instanceof Error ? cause.message : String(cause);
      if (!stopped.signal.aborted) options.log.warn({ problem }, "the identity provider's keys could not be fetched");
      return false;
    }
  };
  // However many ask at once, one fetch runs.
  const refresh = (): Promise<boolean> => (running ??= attempt().finally(() => (running = undefined)));
  const current = (): KeySet | undefined =>
    known && options.monotonicMs() - known.fetchedAtMs <= longestAgeMs ? known.set : undefined;
  const notReady = (): string | undefined =>
    current() ? undefined : `the identity provider's keys are not known: ${problem}`;
  const required = (): KeySet => {
    const set = current();
    if (set) return set;
    throw new Refusal(
      'UPSTREAM_UNAVAILABLE',
      'The identity provider does not answer, so nobody can be recognised just now. Try again in a few seconds.',
      { retryAfterSeconds: '5' },
    );
  };

  return {
    notReady,
    generation: () => generation,
    async candidates(header) {
      const found = await pick(required(), header);
      if (found.length > 0) return found;
      if (running || options.monotonicMs() - lastAttemptMs >= coolDownMs) await refresh();
      return pick(required(), header);
    },
    start() {
      void keepFresh(refresh, stopped.signal);
    },
    stop: () => stopped.abort(),
  };
}

async function keepFresh(refresh: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  let everKnown = false;
  for (let failures = 0; !signal.aborted;) {
    const succeeded = await refresh();
    everKnown ||= succeeded;
    failures = succeeded ? 0 : failures + 1;
    await sleep(waitMs(succeeded, everKnown, failures), undefined, { signal, ref: false }).catch(() => undefined);
  }
}

// Full jitter, so that many gateways do not ask a provider that comes back all at once.
function waitMs(succeeded: boolean, everKnown: boolean, failures: number): number {
  if (succeeded) return refreshEveryMs * (0.75 + Math.random() / 4);
  if (everKnown) return coolDownMs;
  const { least, most } = firstRetryMs;
  return least + Math.random() * (Math.min(most, least * 2 ** failures) - least);
}

async function pick(set: KeySet, header: JWTHeaderParameters): Promise<CryptoKey[]> {
  try {
    return [await set(header)];
  } catch (cause) {
    if (cause instanceof errors.JWKSNoMatchingKey) return [];
    if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) throw cause;
    const keys: CryptoKey[] = [];
    for await (const key of cause) {
      keys.push(key);
      if (keys.length === mostCandidates) break;
    }
    return keys;
  }
}

async function fetchKeys({ authority, metadataAddress, dispatcher }: IdentityKeysOptions): Promise<KeySet> {
  const signal = AbortSignal.timeout(fetchTimeoutMs);
  const metadata = (await fetchJson(metadataAddress, { dispatcher, signal })) as Record<string, unknown>;
  if (metadata['issuer'] !== authority)
    throw new Error(
      `${metadataAddress} names the issuer '${String(metadata['issuer']).slice(0, 200)}', not '${authority}'`,
    );
  const keysAddress = keysAddressOf(metadata['jwks_uri'], authority, metadataAddress);
  const keys = (await fetchJson(keysAddress, { dispatcher, signal })) as JSONWebKeySet;
  // Throws for anything that is not a key set.
  return createLocalJWKSet(keys);
}

/**
 * Where the keys are. A provider that is reached from inside under another address than from outside still names its
 * public one: then the keys are asked where the metadata came from.
 */
export function keysAddressOf(named: unknown, authority: string, metadataAddress: string): string {
  if (typeof named !== 'string' || !URL.canParse(named)) throw new Error(`${metadataAddress} names no jwks_uri`);
  const keys = new URL(named);
  const inside = new URL(metadataAddress);
  if (keys.origin === new URL(authority).origin) return new URL(keys.pathname + keys.search, inside).href;
  if (keys.protocol !== 'https:' && inside.protocol === 'https:')
    throw new Error(`${metadataAddress} names keys at ${keys.origin}, which is plain http`);
  return keys.href;
}

async function fetchJson(
  address: string,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal: AbortSignal },
): Promise<object> {
  const answer = await request(address, {
    dispatcher,
    signal,
    headers: { accept: 'application/json' },
    headersTimeout: fetchTimeoutMs,
    bodyTimeout: fetchTimeoutMs,
  }).catch((cause: unknown) => {
    throw new Error(`${address} cannot be reached: ${reasonOf(cause)}`, { cause });
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`${address} answers with more than 1 MB`);
    chunks.push(chunk);
  }
  if (answer.statusCode !== 200) throw new Error(`${address} answers with status ${answer.statusCode}`);
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(String(answer.headers['content-type'])))
    throw new Error(`${address} answers with something else than JSON`);
  const json: unknown = parsed(Buffer.concat(chunks).toString('utf8'), address);
  if (typeof json !== 'object' || json === null) throw new Error(`${address} answers with no JSON object`);
  return json;
}

function parsed(text: string, address: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${address} answers with JSON that cannot be read`, { cause });
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);

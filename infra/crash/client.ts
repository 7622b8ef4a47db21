/**
 * Sends commands to the control plane as the gateway would, and keeps on sending each under its one key until it is answered for
 * good. It writes down every attempt; it judges nothing.
 */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Signer } from '@clustral/kernel/jwt.ts';
import { controlPlaneServices, routesOf, type Route } from '@clustral/schemas/services.ts';
import { correlationHeader, internalTokenHeader, positionHeader } from '@clustral/schemas/tokens.ts';
import { isFinal, type Answer, type Attempt, type CommandRecord } from './history.ts';

const issuer = 'https://crash.invalid';
const attemptLimitMs = 40_000;
const patienceMs = 120_000;
const mostBackoffMs = 250;

/** Whoever calls: the token that the gateway would hand on is made of this. */
export type Person = { readonly subject: string; readonly isAdmin: boolean };
export type KnownPerson = Person & { readonly userId: string };

/** A command to send: what the schema calls it, the fields of its request, and what the checker must know. */
export type Wish = Pick<CommandRecord, 'method' | 'expected' | 'allowedRefusals' | 'isShared'> & {
  readonly as: KnownPerson;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** What came back in the end. Undefined body: the answer has none. */
export type Outcome = { readonly record: CommandRecord; readonly answer: Answer | undefined; readonly body: Body };
export type Body = Readonly<Record<string, unknown>>;

export type ClientOptions = {
  readonly port: number;
  readonly signer: Signer;
  /** Told of each attempt when it has ended. */
  readonly onAttempt: (attempt: Attempt) => void;
  /** Once it aborts, nothing is sent any more. */
  readonly signal: AbortSignal;
};

const routes = new Map(routesOf(controlPlaneServices).map((route) => [route.method.name, route]));

export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Runs the command until it has its answer; gives up after two minutes, then without one. */
  async run(wish: Wish, keep: (record: CommandRecord) => void): Promise<Outcome> {
    const key = randomUUID();
    const { method, as, expected, allowedRefusals, isShared } = wish;
    const factKey = createHash('sha256').update([key, as.userId, method].join('\0')).digest('hex');
    const record: CommandRecord = { method, key, factKey, expected, allowedRefusals, isShared, attempts: [] };
    keep(record);
    return this.again(wish, record);
  }

  /** The same command under the same key once more, until it is answered. */
  async again(wish: Wish, record: CommandRecord): Promise<Outcome> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline && !this.#options.signal.aborted) {
      const { attempt, body } = await this.#send(wish, record.key);
      record.attempts.push(attempt);
      this.#options.onAttempt(attempt);
      if (isFinal(attempt.answer)) return { record, answer: attempt.answer, body };
      // Full jitter, so that the writers do not all come back at once.
      await sleep(Math.random() * mostBackoffMs);
    }
    return { record, answer: undefined, body: {} };
  }

  /** Makes the person known, and tells their id. Throws when nobody answers for two minutes. */
  async introduce(person: Person): Promise<KnownPerson> {
    const wish = { method: 'GetMe', as: person, fields: {} };
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline && !this.#options.signal.aborted) {
      const { attempt, body } = await this.#send(wish);
      if (attempt.answer?.status === 200) return { ...person, userId: (body['user'] as { id: string }).id };
      await sleep(Math.random() * mostBackoffMs);
    }
    throw new Error(`the control plane did not say who ${person.subject} is; its log says why`);
  }

  async #send(
    { method, as, fields }: { readonly method: string; readonly as: Person; readonly fields: Body },
    key?: string,
  ): Promise<{ readonly attempt: Attempt; readonly body: Body }> {
    const { verb, path, body } = requestOf(method, fields);
    const correlationId = randomUUID();
    const request = {
      method: verb,
      headers: {
        [internalTokenHeader]: await this.#token(as),
        [correlationHeader]: correlationId,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#options.signal, AbortSignal.timeout(attemptLimitMs)]),
    };
    const startedAt = performance.now();
    const received = await receive(`http://127.0.0.1:${this.#options.port}${path}`, request);
    const times = { correlationId, startedAt, endedAt: performance.now() };
    if ('wasSent' in received) return { attempt: { ...times, ...received, answer: undefined }, body: {} };
    const said = bodyOf(received.text);
    return { attempt: { ...times, answer: answerOf(received, said), wasSent: true }, body: said };
  }

  #token({ subject, isAdmin }: Person): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    return this.#options.signer.sign({
      kind: 'internal',
      sub: subject,
      issuer,
      email: `${subject}@crash.invalid`,
      email_verified: true,
      roles: isAdmin ? ['clustral-admin'] : [],
      iat,
      exp: iat + 30,
    });
  }
}

function requestOf(method: string, fields: Body): { verb: Route['verb']; path: string; body: Body | undefined } {
  const route = routes.get(method);
  if (route === undefined) throw new Error(`the schema has no method ${method}`);
  const left = { ...fields };
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(left[name]);
    delete left[name];
    return encodeURIComponent(value);
  });
  return { verb: route.verb, path, body: Object.keys(left).length === 0 ? undefined : left };
}

type Received = { readonly status: number; readonly headers: Headers; readonly text: string };

/** The whole answer; or, when it was cut or cut short, only whether anybody had taken the connection. */
async function receive(url: string, request: RequestInit): Promise<Received | { readonly wasSent: boolean }> {
  try {
    const response = await fetch(url, request);
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
    return { wasSent: code !== 'ECONNREFUSED' };
  }
}

/** Throws for an answer that came to its end and is no JSON: the product never says so. */
const bodyOf = (text: string): Body => (text === '' ? {} : (JSON.parse(text) as Body));

function answerOf({ status, headers, text }: Received, body: Body): Answer {
  const position = headers.get(positionHeader);
  return {
    status,
    code: typeof body['code'] === 'string' ? body['code'] : undefined,
    comparable: comparableOf(text),
    position: position === null ? undefined : BigInt(position),
  };
}

/** ES256 signs the same token differently each time, so a token is compared without its signature. */
const comparableOf = (text: string): string => text.replace(/(eyJ[\w-]+\.eyJ[\w-]+)\.[\w-]+/g, '$1');

/**
 * The browser's calls: Connect calls of the admin API at `/app/rpc/`, and the audit's REST face at `/api/audit/` for downloads. A call
 * is looked at in this order: does it come from a page of ours, is somebody signed in, is there such a method; only then is its body
 * read. It goes on with the person's own token and is decided where all others are (D9, UI-04, UI-08).
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Dispatcher } from 'undici';
import { Refusal } from '@clustral/schemas/errors.ts';
import { CredentialService, IssueCredentialResponseSchema } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { readUnary } from '@clustral/schemas/rpc-body.ts';
import { adminServices } from '@clustral/schemas/services.ts';
import { connectAnswer } from '@clustral/kernel/http-errors.ts';
import { foreseen } from '@clustral/kernel/http-server.ts';
import type { AuthParts } from './auth-routes.ts';
import { behalfOf, sessionIdOf } from './behalf.ts';
import { sendCarried } from './carried-answer.ts';
import { CallerRefused, type Behalf } from './gateway.ts';
import { foreignCall, foreignRead, refuseForeign } from './same-origin.ts';
import type { Session } from './sessions.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The session that a call was let in for. */
    session: Session | undefined;
  }
}

export type CallParts = AuthParts & { readonly docsBaseUrl: string; readonly auditPath: string };

const rpcPrefix = '/app/rpc/';
const auditPrefix = '/api/audit/';
/** The gateway's own limit (D4). */
const mostBytes = 10 * 1024 * 1024;
const rpcTypes = /^application\/(?:connect\+)?(?:json|proto)(?:$|;)/;

const methods: ReadonlySet<string> = new Set(
  adminServices.flatMap(({ typeName, methods: all }) => all.map(({ name }) => `${typeName}/${name}`)),
);
const issuing = `${CredentialService.typeName}/${CredentialService.method.issueCredential.name}`;

/** What the audit's REST face has, in the one spelling that goes on. */
const auditPath = /^api\/v1\/audit(?:\/[\w-]{1,64})?$/;

/** Registers both. */
export async function registerCalls(app: FastifyInstance, parts: CallParts): Promise<void> {
  app.decorateRequest('session', undefined);
  const look = lookAgain(parts);
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBytes }, (_request, body, parsed) =>
      parsed(null, body),
    );
    scope.addHook('onRequest', async (request) => admit(request, parts));
    scope.setErrorHandler((error: FastifyError, request, reply) => answerConnect(error, { request, reply, ...parts }));
    scope.post(`${rpcPrefix}*`, (request, reply) => carryCall(request, reply, { ...parts, look }));
    done();
  });
  app.get(`${auditPrefix}*`, (request, reply) => carryAudit(request, reply, { ...parts, look }));
}

async function admit(request: FastifyRequest, { origin, sessions }: CallParts): Promise<void> {
  refuseForeign(foreignCall(request.headers, origin));
  request.session = sessions.use(sessionIdOf(request));
  if (!methods.has(methodOf(request))) throw new Refusal('ROUTE_NOT_FOUND', 'There is no such method.');
  if (!rpcTypes.test(request.headers['content-type'] ?? ''))
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'The body must be JSON or protobuf, as the Connect protocol names them.',
    );
}

// The text as it came: an odd spelling is no method, and nothing of it goes on.
const methodOf = (request: FastifyRequest): string => (request.raw.url ?? '').slice(rpcPrefix.length);

type Carrying = CallParts & { readonly look: Look };

async function carryCall(request: FastifyRequest, reply: FastifyReply, parts: Carrying): Promise<void> {
  const { session } = request;
  if (session === undefined) throw new Error('a call reached its handler without having been let in');
  const method = methodOf(request);
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  await carried({ request, reply, session, parts }, async (behalf, signal) => {
    // This one answer is read here, so it must not come compressed.
    const { 'accept-encoding': _encoding, ...plain } = request.headers;
    const headers = method === issuing ? plain : request.headers;
    const answer = await parts.gateway.carry(behalf, { method: 'POST', path: `/${method}`, headers, body, signal });
    if (method === issuing && answer.statusCode === 200)
      return sendIssued(reply, answer, (id) => parts.sessions.noteCredential(session, id));
    return sendCarried(reply, answer);
  });
}

/** Hands a new credential on and gives its id to `note`, so that signing out can end it (UI-07). */
async function sendIssued(
  reply: FastifyReply,
  answer: Dispatcher.ResponseData,
  note: (id: string) => void,
): Promise<void> {
  const body = Buffer.from(await answer.body.arrayBuffer());
  note(readUnary(IssueCredentialResponseSchema, body, String(answer.headers['content-type'])).credentialId);
  await sendCarried(reply, answer, body);
}

async function carryAudit(request: FastifyRequest, reply: FastifyReply, parts: Carrying): Promise<void> {
  refuseForeign(foreignRead(request.headers, parts.origin));
  const session = parts.sessions.use(sessionIdOf(request));
  const [path = '', query] = (request.raw.url ?? '').slice(auditPrefix.length).split('?', 2);
  if (!auditPath.test(path)) throw new Refusal('ROUTE_NOT_FOUND', 'The audit has nothing at this path.');
  const target = `${parts.auditPath}/${path}${query === undefined ? '' : `?${query}`}`;
  await carried({ request, reply, session, parts }, async (behalf, signal) => {
    const { headers } = request;
    return sendCarried(
      reply,
      await parts.gateway.carry(behalf, { method: 'GET', path: target, headers, body: undefined, signal }),
    );
  });
}

type Call = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly session: Session;
  readonly parts: Carrying;
};

/** Runs a call for the person of its session; it ends when the browser goes or the session ends. */
async function carried(
  { request, reply, session, parts }: Call,
  carry: (behalf: Behalf, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  await parts.sessions.during(session, async (ended) => {
    const behalf = behalfOf(request, await parts.tokens.accessToken(session));
    await carry(behalf, AbortSignal.any([ended, gone.signal]));
    if (reply.raw.statusCode === 401 || reply.raw.statusCode === 403) parts.look(session, behalf);
  });
}

type Look = (session: Session, behalf: Behalf) => void;

/** How often a session is looked at again because calls under it were refused. */
const lookEveryMs = 5_000;
const mostLooks = 10_000;

/**
 * Asks whether the person is still let in at all, after a call was refused: whoever was disabled has no session any more, and finds
 * that out with the call after it.
 */
function lookAgain({ gateway, sessions, log }: CallParts): Look {
  const looked = new LRUCache<string, true>({ max: mostLooks, ttl: lookEveryMs });
  return (session, behalf) => {
    if (looked.has(session.key)) return;
    looked.set(session.key, true);
    gateway.me(behalf).catch((cause: unknown) => {
      if (!(cause instanceof CallerRefused)) return;
      log.info({ person: session.person }, 'a session ends: its person is not let in any more');
      sessions.end(session);
    });
  };
}

type Failed = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly docsBaseUrl: string };

function answerConnect(error: unknown, { request, reply, docsBaseUrl }: Failed): void {
  const { correlationId } = request.correlation;
  const thrown = foreseen(error);
  if (!(thrown instanceof Refusal))
    request.log.error({ err: error, correlationId }, 'a call failed in a way nobody foresaw');
  const answer = connectAnswer(thrown, { docsBaseUrl, correlationId });
  void reply.status(answer.status).headers(answer.headers).send(answer.body);
}

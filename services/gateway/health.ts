/**
 * The gateway's own health routes beside those that every server has: the design document's aliases, and for
 * administrators and auditors which of the services behind are ready. It says nothing that a stranger could use.
 */
import type { FastifyInstance } from 'fastify';
import { request, type Dispatcher } from 'undici';
import { Refusal } from '@clustral/schemas/errors.ts';
import { adminRole, auditorRole } from '@clustral/schemas/tokens.ts';
import type { Authenticator } from './authenticate.ts';
import type { Upstreams } from './config.ts';
import type { RateLimits } from './rate-limit.ts';

export type HealthOptions = {
  readonly notReady: () => Promise<string | undefined>;
  readonly authenticator: Authenticator;
  readonly limits: RateLimits;
  readonly dispatcher: Dispatcher;
  readonly upstreams: Upstreams;
};

type Check = { readonly name: string; readonly ready: boolean; readonly detail: string };

const checkTimeoutMs = 2_000;

/** Registers `/gateway/healthz`, `/gateway/healthz/ready` and `/healthz/detail`. */
export function registerGatewayHealth(app: FastifyInstance, options: HealthOptions): void {
  app.get('/gateway/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/gateway/healthz/ready', async (_request, reply) => {
    const reason = await options.notReady();
    await reply
      .status(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${reason ?? 'ok'}\n`);
  });
  app.get('/healthz/detail', async (incoming, reply) => {
    const { key, roles } = await options.authenticator.person(incoming.raw);
    options.limits.person(key);
    if (!roles.includes(adminRole) && !roles.includes(auditorRole))
      throw new Refusal('FORBIDDEN', 'Only administrators and auditors may see the health of every service.');
    const { controlPlane, audit, web } = options.upstreams;
    const own = await options.notReady();
    const checks: Check[] = [
      { name: 'gateway', ready: own === undefined, detail: own ?? 'ok' },
      ...(await Promise.all([
        checkOf('control-plane', controlPlane, options.dispatcher),
        checkOf('audit', audit, options.dispatcher),
        checkOf('web', web, options.dispatcher),
      ])),
    ];
    await reply.header('cache-control', 'no-store').send({ ready: checks.every(({ ready }) => ready), checks });
  });
}

async function checkOf(name: string, origin: string, dispatcher: Dispatcher): Promise<Check> {
  try {
    const answer = await request(`${origin}/healthz/ready`, {
      dispatcher,
      signal: AbortSignal.timeout(checkTimeoutMs),
    });
    const detail = (await answer.body.text()).trim().slice(0, 200);
    return { name, ready: answer.statusCode === 200, detail };
  } catch {
    return { name, ready: false, detail: `no answer within ${checkTimeoutMs / 1000} s` };
  }
}

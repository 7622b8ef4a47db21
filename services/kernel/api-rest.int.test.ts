import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { implement, type Call } from './api.ts';
import { registerRest } from './api-rest.ts';
import { buildHttpServer } from './http-server.ts';
import { createLog } from './log.ts';

const docsBaseUrl = 'https://clustral.test/errors/';
const nobody = { verify: () => Promise.reject(new Error('nobody shows a token here')) };

describe('a call that its caller gives up', () => {
  it('is told so to its handler, also when it came without a body', { timeout: 5_000 }, async () => {
    const log = createLog('test', 'silent');
    const app = buildHttpServer({ log, docsBaseUrl });
    const begun = Promise.withResolvers<void>();
    const givenUp = Promise.withResolvers<void>();
    const getVersion = async (_: unknown, { signal }: { signal: AbortSignal }): Promise<object> => {
      signal.addEventListener('abort', () => givenUp.resolve());
      begun.resolve();
      await givenUp.promise;
      return {};
    };
    const unused = (): never => {
      throw new Error('nobody calls it here');
    };
    const service = implement(SystemService, { getVersion, getOpenApi: unused, watch: unused });
    registerRest(app, [service], { verifier: nobody, docsBaseUrl, log });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const asked = request({ host: '127.0.0.1', port, path: '/api/v1/version', agent: false }).end();
    asked.on('error', () => undefined);
    await begun.promise;
    asked.destroy();
    await expect(givenUp.promise).resolves.toBeUndefined();
    await app.close();
  });
});

describe('what an answer says of itself', () => {
  it('is where its facts ended and how old what it shows may be, when its handler says so', async () => {
    const log = createLog('test', 'silent');
    const app = buildHttpServer({ log, docsBaseUrl });
    let lag: number | undefined;
    const getVersion = async (_: unknown, call: Pick<Call, 'lags' | 'reached'>): Promise<object> => {
      if (lag !== undefined) call.lags(lag);
      call.reached(7n);
      return {};
    };
    const unused = (): never => {
      throw new Error('nobody calls it here');
    };
    const service = implement(SystemService, { getVersion, getOpenApi: unused, watch: unused });
    registerRest(app, [service], { verifier: nobody, docsBaseUrl, log });
    const ask = async () => (await app.inject({ method: 'GET', url: '/api/v1/version' })).headers;
    expect(await ask()).toMatchObject({ 'x-clustral-position': '7' });
    expect(await ask()).not.toHaveProperty('x-clustral-lag');
    lag = 0;
    expect(await ask()).toMatchObject({ 'x-clustral-position': '7', 'x-clustral-lag': '0' });
    await app.close();
  });
});

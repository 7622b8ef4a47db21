import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askerOf, c1, startTestGateway, type Ask, type TestGateway } from './testing/gateway.ts';

let gateway: TestGateway;
let ask: Ask;
beforeAll(async () => {
  gateway = await startTestGateway();
  ask = askerOf(gateway);
});
afterAll(() => gateway.stop());

describe('SC-06 what the gateway shows of itself', () => {
  it.each([
    '/swagger',
    '/swagger/index.html',
    '/documentation/json',
    '/debug',
    '/debug/pprof',
    '/metrics',
    '/main.ts.map',
  ])('has nothing of its own at %s', async (path) => {
    const before = gateway.web.requests.length;
    expect(await (await ask(path)).json()).toEqual({ answeredBy: 'web' });
    expect(gateway.web.requests).toHaveLength(before + 1);
  });

  it.each(['/', '/healthz', '/api/v1/clusters', `/api/proxy/${c1}/version`])(
    'does not say at %s what it is made of',
    async (path) => {
      const { headers } = await ask(path);
      for (const name of ['server', 'x-powered-by', 'x-aspnet-version']) expect(headers.has(name), name).toBe(false);
    },
  );

  it('tells of a failure that nobody foresaw no more than how to find it in the log', async () => {
    gateway.controlPlane.answer = (request) => void request.socket.destroy();
    for (const [path, token] of [
      ['/api/v1/clusters', await gateway.provider.token()],
      [`/api/proxy/${c1}/version`, await gateway.kubeconfigToken()],
    ] as const) {
      const answer = await ask(path, token);
      const text = await answer.text();
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{32}$/);
      expect(text).not.toMatch(/\bat .*\.[jt]s:\d|node:|\/work\/|node_modules|ECONN|127\.0\.0\.1|UND_ERR/);
    }
  });
});

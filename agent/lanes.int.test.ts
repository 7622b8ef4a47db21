import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { afterBody } from './testing/api-server.ts';
import { startServed, type Served } from './testing/served.ts';

let served: Served;
beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.stop());
beforeEach(() => served.reset());

describe('the agent’s lanes', () => {
  it('carry many requests at once, each with its own answer', async () => {
    served.api.answer = afterBody(({ response, target }) => response.end(target));
    const all = await Promise.all(
      Array.from({ length: 400 }, (_, index) => served.get({ target: `/${index}` }).then(({ body }) => body)),
    );
    expect(all).toEqual(Array.from({ length: 400 }, (_, index) => `/${index}`));
  });

  it('pass a cancel on to the API server at once, in the answer and in the body', async () => {
    served.api.answer = ({ response }) => void response.writeHead(200).write('begun');
    const watch = await served.open({ target: '/watch?watch=1' }).begun;
    const upload = served.open({ method: 'POST', bodyless: false, target: '/upload' });
    upload.exchange.write(Buffer.from('{"half":'));
    await upload.begun;
    const began = performance.now();
    watch.exchange.cancel();
    upload.exchange.cancel();
    await until('the API server saw both end', () => served.api.proxied.every(({ closed }) => closed), 2_000);
    expect(performance.now() - began).toBeLessThan(1_000);
    // A body that was cut off must not look whole.
    expect(served.api.proxied.find(({ target }) => target === '/upload')?.bodyEnded).toBe(false);
  });

  it('are still there after a thousand cancels, on the same connections', async () => {
    served.api.answer = ({ response }) => void response.writeHead(200).write('begun');
    const connectedAt = served.world.agents.presence(served.clusterId)?.connectedAt;
    const before = served.api.connections;
    for (let round = 0; round < 50; round += 1) {
      const watches = await Promise.all(
        Array.from({ length: 20 }, () => served.open({ target: '/api?watch=1' }).begun),
      );
      for (const { exchange, status } of watches) {
        expect(status).toBe(200);
        exchange.cancel();
      }
    }
    await until('the API server saw all end', () => served.api.proxied.every(({ closed }) => closed));
    expect(served.api.proxied).toHaveLength(1000);
    served.reset();
    const after = await Promise.all(Array.from({ length: 50 }, () => served.get()));
    expect(after.every(({ result }) => result === 200)).toBe(true);
    expect(served.world.agents.presence(served.clusterId)?.connectedAt).toEqual(connectedAt);
    expect(served.api.connections - before).toBeLessThanOrEqual(2);
  }, 60_000);

  it('do not wait for one whose reader has stopped', async () => {
    const piece = Buffer.alloc(1_000_000);
    let written = 0;
    served.api.answer = ({ response, target }) => {
      if (target !== '/large') {
        response.end('ok');
        return;
      }
      const more = (): void => {
        while (!response.stream.destroyed && written < 200) {
          written += 1;
          if (!response.write(piece)) return;
        }
      };
      response.writeHead(200);
      response.on('drain', more);
      more();
    };
    const stalled = Array.from({ length: 4 }, () => {
      const open = served.open({ target: '/large' });
      open.wantsMore = false;
      return open;
    });
    await Promise.all(stalled.map(({ begun }) => begun));
    for (let count = 0; count < 100; count += 1) expect(await served.get()).toMatchObject({ result: 200 });
    // Windows and a few buffers on the way, not the whole answer.
    expect(written).toBeLessThan(120);
    for (const { exchange } of stalled) exchange.cancel();
    await until('the API server saw them end', () => served.api.proxied.every(({ closed }) => closed), 2_000);
  });

  it('end a request at the end of the access it rests on', async () => {
    served.api.answer = ({ response }) => void response.writeHead(200).write('begun');
    const began = performance.now();
    const watch = await served.open({ target: '/api?watch=1', lifetimeMs: 700 }).over;
    expect(watch.result).toBe('TUNNEL_ERROR');
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(650);
    expect(took).toBeLessThan(1_700);
    await until('the API server saw the end', () => served.api.proxied.every(({ closed }) => closed), 1_000);
  });

  it('are used again after an answer that did not wait for the body', async () => {
    served.api.answer = ({ response, target }) => {
      if (target === '/early') response.writeHead(403).end('no');
      else response.end('ok');
    };
    for (let round = 0; round < 30; round += 1) {
      const open = served.open({ method: 'POST', bodyless: false, target: '/early' });
      open.exchange.write(Buffer.alloc(100_000));
      expect((await open.over).result).toBe(403);
      expect(await served.get()).toMatchObject({ result: 200 });
    }
  });
});

describe('an agent that stops', () => {
  it('lets a short request finish, ends the rest, and is gone', async () => {
    const own = await startServed();
    own.api.answer = ({ response, target }) => {
      response.writeHead(200);
      if (target === '/short') setTimeout(() => response.end('done'), 300);
      else response.write('begun');
    };
    const [short, watch] = [own.open({ target: '/short' }), own.open({ target: '/api?watch=1' })];
    await Promise.all([short.begun, watch.begun]);
    const began = performance.now();
    await own.agent.stop();
    expect(performance.now() - began).toBeLessThan(3_500);
    expect((await short.over).result).toBe(200);
    expect((await watch.over).result).toBe('TUNNEL_ERROR');
    await until('nobody is connected', () => own.world.agents.presence(own.clusterId) === undefined);
    expect(await own.get()).toMatchObject({ result: 'AGENT_NOT_CONNECTED' });
    await until('the API server is left', () => own.api.openConnections === 0);
    await own.stop();
  });
});

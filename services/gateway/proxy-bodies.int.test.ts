import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { c1, eventually, sendRaw, startTestGateway, statusOf, type TestGateway } from './testing/gateway.ts';
import { bodyOf, openRequest } from './testing/open-request.ts';

let gateway: TestGateway;
let plainAnswer: TestGateway['controlPlane']['answer'];
beforeAll(async () => {
  gateway = await startTestGateway();
  plainAnswer = gateway.controlPlane.answer;
});
beforeEach(() => {
  gateway.controlPlane.answer = plainAnswer;
});
afterAll(() => gateway.stop());

const pods = `/api/proxy/${c1}/api/v1/pods`;
const last = () => gateway.controlPlane.requests.findLast(({ url }) => url.startsWith('/api/proxy/'));
const raw = async (lines: string, path = pods, method = 'GET'): Promise<string> =>
  sendRaw(
    gateway.port,
    `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${await gateway.kubeconfigToken()}\r\nConnection: close\r\n${lines}\r\n`,
  );

const open = (options: { method: string; path?: string; headers?: Record<string, string> }) =>
  openRequest(gateway, { path: pods, ...options });

describe('PX-19 a client that goes', () => {
  it('cancels the request that waits for its answer', async () => {
    gateway.controlPlane.answer = () => undefined;
    const { outgoing } = await open({ method: 'GET' });
    const before = gateway.controlPlane.requests.length;
    outgoing.end();
    await eventually(() => gateway.controlPlane.requests.length > before);
    outgoing.destroy();
    await eventually(() => last()?.aborted === true);
  });

  it('cancels its upload, which never comes to its end', async () => {
    gateway.controlPlane.answer = (request) => void request.resume();
    const before = gateway.controlPlane.requests.length;
    const { outgoing } = await open({ method: 'POST', headers: { 'content-length': '1000' } });
    outgoing.write('half');
    await eventually(() => gateway.controlPlane.requests.length > before && last()?.body().toString() === 'half');
    outgoing.destroy();
    await eventually(() => last()?.aborted === true);
    expect(last()?.complete).toBe(false);
  });
});

describe('D4 GW-11 request bodies', () => {
  const ten = 10 * 1024 * 1024;

  it.each(['with a length', 'in chunks'])('of exactly 10 MB arrive whole %s', async (how) => {
    const body = randomBytes(ten);
    const { outgoing, answer } = await open({
      method: 'POST',
      headers: how === 'in chunks' ? {} : { 'content-length': String(ten) },
    });
    outgoing.end(body);
    expect((await answer).statusCode).toBe(200);
    expect(last()?.body().equals(body)).toBe(true);
  });

  it('announced as larger never reach the control plane, and the client sees why', async () => {
    const before = gateway.controlPlane.requests.length;
    const { outgoing, answer } = await open({ method: 'POST', headers: { 'content-length': String(ten + 1) } });
    outgoing.end(Buffer.alloc(ten + 1));
    const message = await answer;
    expect(message.statusCode).toBe(413);
    expect(message.headers).toMatchObject({ 'x-clustral-error-code': 'REQUEST_TOO_LARGE', connection: 'close' });
    expect((await bodyOf(message)).toString()).toContain('10 MB');
    expect(gateway.controlPlane.requests.filter(({ url }) => url.startsWith('/api/proxy/')).length).toBeLessThanOrEqual(
      before,
    );
  });

  it('that turn out larger never arrive whole, and the client sees why', async () => {
    const before = gateway.controlPlane.requests.length;
    const { outgoing, answer } = await open({ method: 'POST' });
    outgoing.write(Buffer.alloc(1024));
    await eventually(() => gateway.controlPlane.requests.length > before);
    outgoing.end(Buffer.alloc(ten));
    const message = await answer;
    expect(message.statusCode).toBe(413);
    expect(message.headers).toMatchObject({ connection: 'close', 'x-clustral-error-code': 'REQUEST_TOO_LARGE' });
    await bodyOf(message);
    await eventually(() => last()?.aborted === true);
    expect(last()?.complete).toBe(false);
  });

  it('with chunk extensions of 20 KB are refused', async () => {
    const before = gateway.controlPlane.requests.length;
    const answer = await raw(
      `Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_480)}\r\na\r\n0\r\n\r\n`,
      pods,
      'POST',
    );
    expect(statusOf(answer)).toBe(413);
    expect(gateway.controlPlane.requests.slice(before).some(({ url, complete }) => url === pods && complete)).toBe(
      false,
    );
  });

  it('in a hundred thousand chunks of one byte arrive', async () => {
    const answer = await raw(`Transfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(100_000)}0\r\n`, pods, 'POST');
    expect(statusOf(answer)).toBe(200);
    expect(last()?.body()).toHaveLength(100_000);
  });

  it('that are answered early are read away, so that the answer is seen', async () => {
    gateway.controlPlane.answer = (_request, response) =>
      void response.writeHead(403, { 'content-length': '2' }).end('no');
    const { outgoing, answer } = await open({ method: 'POST', headers: { 'content-length': String(5 * 1024 * 1024) } });
    outgoing.write(Buffer.alloc(1024));
    const message = await answer;
    expect(message.statusCode).toBe(403);
    expect(message.headers.connection).toBe('close');
    outgoing.end(Buffer.alloc(5 * 1024 * 1024 - 1024));
    expect((await bodyOf(message)).toString()).toBe('no');
  });

  it('of a GET are carried', async () => {
    const answer = await raw('Content-Length: 3\r\n\r\nabc', pods, 'GET');
    expect(statusOf(answer)).toBe(200);
    expect(last()?.body().toString()).toBe('abc');
  });
});

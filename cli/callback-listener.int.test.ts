import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenForCallback, type Callback, type CallbackListener } from './callback-listener.ts';

const state = 'the-state-of-this-sign-in';
const late = new Error('late');

let listener: CallbackListener;
let waiting: Promise<Callback>;
beforeEach(async () => {
  listener = await listenForCallback();
  waiting = listener.wait({ state, limitMs: 5_000, late });
  waiting.catch(() => undefined);
});
afterEach(() => listener.close());

type Answer = { status: number; body: string; headers: Record<string, unknown> };

function ask(path: string, given: { method?: string; host?: string } = {}): Promise<Answer> {
  const { port } = new URL(listener.redirectUri);
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method: given.method ?? 'GET', headers: given.host ? { host: given.host } : {} },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (text: string) => (body += text));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body, headers: answer.headers }));
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}

describe('while a sign-in waits (ID-10)', () => {
  it.each([
    ['a page', '/', {}, 404],
    ['an icon', '/favicon.ico', {}, 404],
    ['another path', `/callback/x?code=x&state=${state}`, {}, 404],
    ['no state', '/callback?code=x', {}, 400],
    ['another state', '/callback?code=x&state=bad', {}, 400],
    ['another state first', `/callback?code=x&state=bad&state=${state}`, {}, 400],
    ['a name that was made to point here', `/callback?code=x&state=${state}`, { host: 'evil.com' }, 400],
    ['the right name and another port', `/callback?code=x&state=${state}`, { host: '127.0.0.1:1' }, 400],
    ['localhost', `/callback?code=x&state=${state}`, { host: 'localhost' }, 400],
    ['a form', `/callback?code=x&state=${state}`, { method: 'POST' }, 405],
    ['a path that is no address', '//', {}, 400],
    ['a foreign address', `http://evil.com/callback?code=x&state=${state}`, {}, 400],
  ])('%s changes nothing', async (...[, path, given, status]) => {
    const answer = await ask(path, given);
    expect(answer.status).toBe(status);
    expect(answer.body).toBe('This is not the answer that clustral waits for.\n');

    const asked = ask(`/callback?code=good&state=${state}`);
    const callback = await waiting;
    expect(callback.url.searchParams.get('code')).toBe('good');
    await callback.tell({ ok: true, title: 'Signed in', text: 'Done.' });
    expect((await asked).status).toBe(200);
  });

  it('what is no HTTP changes nothing', async () => {
    const socket = connect(Number(new URL(listener.redirectUri).port), '127.0.0.1');
    await new Promise((resolve) => {
      socket
        .once('close', resolve)
        .on('error', () => undefined)
        .resume();
      socket.end('\u0000\u0001 nonsense\r\n\r\n');
    });
    void ask(`/callback?code=good&state=${state}`);
    await (await waiting).tell({ ok: true, title: 'x', text: 'x' });
  });

  it('takes one answer and no second', async () => {
    const first = ask(`/callback?code=1&state=${state}`);
    const callback = await waiting;
    expect((await ask(`/callback?code=2&state=${state}`)).status).toBe(400);
    await callback.tell({ ok: true, title: 'Signed in', text: 'Done.' });
    expect((await first).status).toBe(200);
    expect(callback.url.searchParams.get('code')).toBe('1');
  });

  it('ends with the given error when nobody comes', async () => {
    const impatient = await listenForCallback();
    await expect(impatient.wait({ state, limitMs: 20, late })).rejects.toBe(late);
    impatient.close();
  });

  it('listens on loopback alone, on a port of its own', async () => {
    const other = await listenForCallback();
    expect(listener.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    expect(other.redirectUri).not.toBe(listener.redirectUri);
    other.close();
  });
});

describe('the page that the person sees', () => {
  it('shows hostile words as words', async () => {
    const asked = ask(`/callback?error=x&state=${state}`);
    await (await waiting).tell({ ok: false, title: 'Not <b>', text: '<script>alert("1")</script>&\'' });
    const { status, body, headers } = await asked;
    expect(status).toBe(400);
    expect(body).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
    expect(body).not.toContain('<script>');
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
  });
});

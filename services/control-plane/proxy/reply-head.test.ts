import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { replyHead, type ReplyContext } from './reply-head.ts';

const context: ReplyContext = { method: 'GET', prefix: '/api/proxy/c1', service: false };
/** `Name: value` lines as a flat list. */
const flat = (...lines: readonly string[]): string[] =>
  lines.flatMap((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);

const added = ['X-Content-Type-Options', 'nosniff', 'Content-Security-Policy', 'sandbox'];

function codeOf(status: number, raw: readonly string[], where: Partial<ReplyContext> = {}): string {
  try {
    replyHead(status, raw, { ...context, ...where });
    return 'none';
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown.code : String(thrown);
  }
}

describe("an API server's answer on its way to a client", () => {
  it('PX-21 keeps repeated headers apart and drops what would act on our origin', () => {
    const raw = flat(
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Warning: 299 - "a"',
      'Warning: 299 - "b"',
      'Clear-Site-Data: "*"',
      'Service-Worker-Allowed: /',
      'X-Clustral-Error-Code: X',
      'X-Accel-Redirect: /',
      'X-Content-Type-Options: x',
      'Audit-ID: r1',
      "Content-Security-Policy: default-src 'none'",
      'X-Correlation-Id: theirs',
      'traceresponse: theirs',
    );
    const kept = [
      'Warning: 299 - "a"',
      'Warning: 299 - "b"',
      'Audit-ID: r1',
      "Content-Security-Policy: default-src 'none'",
    ];
    expect(replyHead(200, raw, context).headers).toEqual([...flat(...kept), ...added]);
  });

  it('drops what belongs to one hop', () => {
    const raw = ['Connection', 'close, X-Foo', 'X-Foo', '1', 'Transfer-Encoding', 'chunked', 'Trailer', 'x'];
    expect(replyHead(200, raw, context).headers).toEqual(added);
  });

  it("PX-27 never passes the agent's own 401 on as the person's", () => {
    expect(codeOf(401, [])).toBe('AGENT_ERROR');
  });

  it("D37 passes a service's 401 on, and says whose it is", () => {
    const head = replyHead(401, ['WWW-Authenticate', 'Basic'], { ...context, service: true });
    expect(head.status).toBe(401);
    expect(head.headers).toEqual(['WWW-Authenticate', 'Basic', 'X-Clustral-Upstream', 'service', ...added]);
  });

  it('D37 puts the prefix of the cluster before a path', () => {
    expect(replyHead(301, ['Location', '/apis/?x=1'], context).headers.slice(0, 2)).toEqual([
      'Location',
      '/api/proxy/c1/apis/?x=1',
    ]);
  });

  it.each(['http://EVIL/', '//EVIL/', '/\\EVIL/', '\\\\EVIL', 'https:EVIL', 'elsewhere', ''])(
    'PX-12 does not pass on a redirect to %j',
    (location) => {
      for (const status of [301, 302, 303, 307, 308])
        expect(codeOf(status, ['Location', location], { service: true })).toBe('AGENT_ERROR');
    },
  );

  it('PX-12 drops a location elsewhere that is no redirect', () => {
    expect(replyHead(201, ['Location', 'http://EVIL/'], context).headers).toEqual(added);
  });

  it.each([99, 1000, 0, 101, 100, 600, Number.NaN, 200.5])('PX-20 refuses the status %s', (status) => {
    expect(codeOf(status, [])).toBe('AGENT_ERROR');
  });

  it.each([
    [['X-A', 'a\r\nSet-Cookie: x']],
    [['X-A', 'a\0']],
    [['X A', 'a']],
    [['', 'a']],
    [['X-A', '\u{1f600}']],
    [['X-A']],
    [['Content-Length', '1', 'Content-Length', '1']],
    [['Content-Length', '-1']],
    [['Content-Length', '1,1']],
  ])('PX-20 refuses the headers %j', (raw) => {
    expect(codeOf(200, raw)).toBe('AGENT_ERROR');
  });

  it('PX-20 refuses a head of a megabyte', () => {
    expect(codeOf(200, ['X-A', 'a'.repeat(1_000_000)])).toBe('AGENT_ERROR');
  });

  it('says how long the body is, and that some answers have none', () => {
    expect(replyHead(200, ['Content-Length', '7'], context)).toMatchObject({ length: 7 });
    expect(replyHead(200, [], context).length).toBeUndefined();
    expect(replyHead(304, ['Content-Length', '7'], context)).toMatchObject({ length: 0 });
    expect(replyHead(204, ['Content-Length', '0'], context).headers).toEqual(added);
    expect(replyHead(200, ['Content-Length', '7'], { ...context, method: 'HEAD' })).toEqual({
      status: 200,
      headers: ['Content-Length', '7', ...added],
      length: 0,
    });
  });
});

describe('a switch to another protocol', () => {
  const asked = { ...context, asked: 'SPDY/3.1' };

  it('keeps what the two ends agreed on, and no length', () => {
    const raw = flat(
      'Upgrade: spdy/3.1',
      'Connection: Upgrade, X-Hop',
      'X-Hop: 1',
      'X-Stream-Protocol-Version: v4.channel.k8s.io',
    );
    const switched = { status: 101, headers: [], length: undefined };
    expect(replyHead(101, [...raw, 'Content-Length', '5', 'Set-Cookie', 'a=b'], asked)).toEqual({
      ...switched,
      headers: flat('X-Stream-Protocol-Version: v4.channel.k8s.io', 'Connection: Upgrade', 'Upgrade: spdy/3.1'),
    });
  });

  it.each([
    ['one that nobody asked for', ['Upgrade', 'SPDY/3.1'], undefined],
    ['another one', ['Upgrade', 'h2c'], 'SPDY/3.1'],
    ['two of them', ['Upgrade', 'SPDY/3.1', 'Upgrade', 'h2c'], 'SPDY/3.1'],
    ['none', [], 'SPDY/3.1'],
  ] as const)('is not passed on to %s', (_, raw, protocol) => {
    expect(codeOf(101, raw, { asked: protocol })).toBe('AGENT_ERROR');
  });

  it('PX-12 is never sent to another place, not even of the same cluster', () => {
    for (const status of [301, 302, 307, 308]) expect(codeOf(status, ['Location', '/apis'], asked)).toBe('AGENT_ERROR');
  });
});

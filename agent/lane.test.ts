import type { ClientHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LaneEncoder, type RequestHead } from '@clustral/schemas/lane-codec.ts';
import { readFailure, readReplyHead } from '@clustral/schemas/lane-heads.ts';
import { LaneReader } from '@clustral/schemas/lane-reader.ts';
import { Lane, type LaneEnding, type LaneOwner } from './lane.ts';
import type { UpstreamHandlers, UpstreamRequest } from './upstream.ts';

const head: RequestHead = {
  method: 'GET',
  target: '/api',
  headers: [],
  impersonateUser: 'alice',
  impersonateGroups: [],
  requestId: 'r',
  headTimeoutMs: 1_000,
  lifetimeMs: 1_000,
  notAfterMs: 0,
  upgrade: false,
};

/** The HTTP/2 stream of a lane, without HTTP/2. */
class Stream extends Duplex {
  readonly written: Buffer[] = [];
  code: number | undefined;
  override _read(): void {
    // Bytes are pushed by the test.
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    done();
  }
  close(code: number): void {
    this.code = code;
    this.destroy();
  }
}

class Around implements LaneOwner {
  readonly stream = new Stream();
  readonly encoder = new LaneEncoder();
  readonly told: string[] = [];
  readonly lane: Lane;
  hears = true;
  handlers: UpstreamHandlers | undefined;
  ending: LaneEnding | undefined;
  readonly kubernetes = {
    open: (_head: RequestHead, _body: unknown, handlers: UpstreamHandlers) => this.#asked('asked', handlers),
    upgrade: (_head: RequestHead, handlers: UpstreamHandlers) => this.#asked('asked to upgrade', handlers),
  };

  constructor(answer: object = { ':status': 200, 'content-type': 'application/connect+proto' }) {
    this.lane = new Lane(this.stream as unknown as ClientHttp2Stream, this);
    this.stream.emit('response', answer);
  }

  #asked(what: string, handlers: UpstreamHandlers): UpstreamRequest {
    this.told.push(what);
    this.handlers = handlers;
    return {
      write: () => true,
      end: () => undefined,
      resume: () => undefined,
      cancel: () => void this.told.push('cancelled'),
    };
  }

  monotonic = (): number => 0;
  acceptsRequests = (): boolean => this.hears;
  laneBusy = (): void => void this.told.push('busy');
  laneFree = (): void => void this.told.push('free');
  laneGone = (_lane: Lane, ending: LaneEnding): void => {
    this.ending = ending;
    this.told.push('gone');
  };

  async hear(bytes: Uint8Array): Promise<void> {
    this.stream.push(Buffer.from(bytes));
    await turn();
    await turn();
  }
  request(parts: Parameters<LaneEncoder['request']>[0]): Uint8Array {
    return Uint8Array.from(this.encoder.request(parts));
  }

  /** What was answered, read as the other end would. */
  get answered(): readonly string[] {
    const found: string[] = [];
    const reader = new LaneReader({
      head: (message) => found.push(`head ${readReplyHead(message).status}`),
      data: (piece) => found.push(`data ${Buffer.from(piece).toString()}`),
      end: () => found.push('end'),
      error: (message) => found.push(`error ${readFailure(message).code}`),
      trailer: () => found.push('trailer'),
    });
    for (const chunk of this.stream.written) reader.push(chunk);
    return found;
  }
}

describe('a lane', () => {
  it('says first that it is idle, and carries one request after the other', async () => {
    const around = new Around();
    expect(around.stream.written).toEqual([Buffer.alloc(5)]);
    for (let round = 0; round < 2; round += 1) {
      await around.hear(around.request({ head, end: true }));
      around.handlers?.head(200, ['a', 'b']);
      around.handlers?.data(Buffer.from('hello'));
      around.handlers?.end();
    }
    expect(around.answered).toEqual(['head 200', 'data hello', 'end', 'head 200', 'data hello', 'end']);
    expect(around.told).toEqual(['busy', 'asked', 'free', 'busy', 'asked', 'free']);
  });

  it('begins nothing while its answers may not be heard (F-18)', async () => {
    const around = new Around();
    around.hears = false;
    await around.hear(around.request({ head, end: true }));
    expect(around.told).toEqual(['busy', 'free']);
    expect(around.answered).toEqual(['error TUNNEL_ERROR']);
  });

  it('cancels its request when it is reset', async () => {
    const around = new Around();
    await around.hear(around.request({ head, end: true }));
    around.stream.destroy();
    await turn();
    expect(around.told).toEqual(['busy', 'asked', 'cancelled', 'gone']);
    expect(around.ending).toEqual({ wasUsed: true, refusal: undefined });
  });

  it.each<[string, (around: Around) => Uint8Array]>([
    ['data before a head', (a) => a.request({ data: Buffer.from('x') })],
    ['an end before a head', (a) => a.request({ end: true })],
    ['two heads', (a) => Buffer.concat([a.request({ head }), a.request({ head })])],
    [
      'data after the end',
      (a) => Buffer.concat([a.request({ head, end: true }), a.request({ data: Buffer.from('x') })]),
    ],
    ['two ends', (a) => Buffer.concat([a.request({ head, end: true }), a.request({ end: true })])],
    [
      'bytes behind an upgrade',
      (a) => a.request({ head: { ...head, upgrade: true }, data: Buffer.from('GET /api/v1/secrets') }),
    ],
    ['a failure', (a) => Uint8Array.from(a.encoder.reply({ error: { code: 'x', message: 'y' } }))],
    ['a message of a gigabyte', () => Uint8Array.of(0, 0x40, 0, 0, 0)],
    ['a head that is none', () => Uint8Array.of(0, 0, 0, 0, 4, 0x0a, 2, 0x0a, 9)],
  ])('is reset, with its request, at %s (TN-12, TN-13)', async (_, bytes) => {
    const around = new Around();
    await around.hear(bytes(around));
    expect(around.stream.code).toBe(1);
    expect(around.told.filter((what) => what === 'asked')).toHaveLength(0);
    expect(around.told.at(-1)).toBe('gone');
  });

  it('is reset, with its upgrade, at bytes before the 101 (UP-01)', async () => {
    const around = new Around();
    await around.hear(around.request({ head: { ...head, upgrade: true } }));
    await around.hear(around.request({ data: Buffer.from('GET /api/v1/secrets') }));
    expect(around.stream.code).toBe(1);
    expect(around.told).toEqual(['busy', 'asked to upgrade', 'cancelled', 'gone']);
  });

  it('ends in good order when the control plane has enough of them, or says why it wants none', async () => {
    const around = new Around();
    const json = Buffer.from('{"error":{"code":"permission_denied"}}');
    await around.hear(Buffer.concat([Uint8Array.of(2, 0, 0, 0, json.length), json]));
    around.stream.push(null);
    await turn();
    await turn();
    expect(around.stream.writableEnded).toBe(true);
    expect(Buffer.from(around.ending?.refusal ?? []).toString()).toBe(json.toString());
    expect(around.ending?.wasUsed).toBe(false);
  });

  it('is none when it was answered by something else than a control plane', async () => {
    for (const answer of [
      { ':status': 403, 'content-type': 'application/connect+proto' },
      { ':status': 200, 'content-type': 'text/html' },
    ]) {
      const around = new Around(answer);
      await turn();
      expect(around.ending).toEqual({ wasUsed: false, refusal: undefined });
    }
  });
});

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LaneViolation, type RequestHead } from '@clustral/schemas/lane-codec.ts';
import { Exchange, type ExchangeOwner } from './exchange.ts';
import type { UpstreamHandlers, UpstreamRequest } from './upstream.ts';

const head: RequestHead = {
  method: 'GET',
  target: '/api',
  headers: [],
  impersonateUser: 'alice',
  impersonateGroups: [],
  requestId: 'r',
  headTimeoutMs: 100,
  lifetimeMs: 1_000,
  notAfterMs: 0,
  upgrade: false,
};

/** A lane and an API server that write down what they are told. */
class Around implements ExchangeOwner, UpstreamRequest {
  readonly told: string[] = [];
  readonly exchange: Exchange;
  handlers: UpstreamHandlers | undefined;
  /** What the lane answers to a piece of a reply. */
  hasRoom = true;
  readonly kubernetes = {
    open: (_head: RequestHead, { bodyless }: { bodyless: boolean }, handlers: UpstreamHandlers): UpstreamRequest => {
      this.told.push(bodyless ? 'asked' : 'asked with a body');
      this.handlers = handlers;
      return this;
    },
    upgrade: (_head: RequestHead, handlers: UpstreamHandlers): UpstreamRequest => {
      this.told.push('asked to upgrade');
      this.handlers = handlers;
      return this;
    },
  };

  constructor(said: Partial<RequestHead> = {}) {
    this.exchange = new Exchange({ ...head, ...said }, this, 0);
  }

  sendReply(parts: Parameters<ExchangeOwner['sendReply']>[0]): boolean {
    const shown = [
      ...(parts.head ? [`head ${parts.head.status}`] : []),
      ...(parts.data && parts.data.length > 0 ? [`data ${Buffer.concat(parts.data).toString()}`] : []),
      ...(parts.error ? [`error ${parts.error.code}`] : []),
      ...(parts.end ? ['end'] : []),
    ];
    this.told.push(shown.join(', '));
    return this.hasRoom;
  }
  sendData(chunk: Uint8Array): boolean {
    this.told.push(`data ${Buffer.from(chunk).toString()}`);
    return this.hasRoom;
  }
  resumeBody(): void {
    this.told.push('more body');
  }
  exchangeOver(): void {
    this.told.push('over');
  }
  reset(): void {
    this.told.push('lane reset');
  }
  write(chunk: Uint8Array): boolean {
    this.told.push(`sent ${Buffer.from(chunk).toString()}`);
    return true;
  }
  end(): void {
    this.told.push('sent end');
  }
  resume(): void {
    this.told.push('resumed');
  }
  cancel(): void {
    this.told.push('cancelled');
  }

  /** A request without a body, sent. */
  begun(): UpstreamHandlers {
    this.exchange.bodyEnd();
    this.exchange.begin();
    this.told.length = 0;
    if (!this.handlers) throw new Error('it was not asked');
    return this.handlers;
  }

  /** An upgraded connection. */
  async switched(): Promise<UpstreamHandlers> {
    this.exchange.begin();
    this.handlers?.head(101, []);
    await turn();
    this.told.length = 0;
    if (!this.handlers) throw new Error('it was not asked');
    return this.handlers;
  }
}

describe('a request on a lane', () => {
  it('goes out whole with what came along with its head', () => {
    const around = new Around();
    around.exchange.body(Buffer.from('a'));
    around.exchange.bodyEnd();
    around.exchange.begin();
    expect(around.told).toEqual(['asked with a body', 'sent a', 'sent end']);
  });

  it('is answered in one message when the answer is small and there', async () => {
    const around = new Around();
    const handlers = around.begun();
    handlers.head(200, []);
    handlers.data(Buffer.from('a'));
    handlers.data(Buffer.from('b'));
    handlers.end();
    expect(around.told).toEqual(['head 200, data ab, end', 'over']);
    await turn();
    expect(around.told).toHaveLength(2);
  });

  it('passes the head of a watch on before there is an event', async () => {
    const around = new Around();
    const handlers = around.begun();
    handlers.head(200, []);
    await turn();
    expect(around.told).toEqual(['head 200']);
    handlers.data(Buffer.from('event'));
    handlers.end();
    expect(around.told).toEqual(['head 200', 'data event', 'end', 'over']);
  });

  it('does not collect more than a little', () => {
    const around = new Around();
    const handlers = around.begun();
    handlers.head(200, []);
    around.hasRoom = false;
    expect(handlers.data(Buffer.alloc(10_000))).toBe(true);
    expect(handlers.data(Buffer.alloc(10_000))).toBe(false);
    expect(handlers.data(Buffer.alloc(1))).toBe(false);
    expect(around.told).toHaveLength(2);
  });

  it('tells of a failure instead of a head that nobody has seen', () => {
    const around = new Around();
    const handlers = around.begun();
    handlers.head(200, []);
    handlers.fail({ code: 'AGENT_ERROR', message: 'no' });
    handlers.end();
    expect(around.told).toEqual(['error AGENT_ERROR', 'over']);
  });

  it.each([
    ['that has no answer in time', 100, 'TUNNEL_TIMEOUT'],
    ['whose access is over', 1_000, 'TUNNEL_ERROR'],
  ])('%s is given up here and at the API server', (_, after, code) => {
    const around = new Around(after === 100 ? {} : { headTimeoutMs: 10_000 });
    around.begun();
    around.exchange.enforceLimits(after - 1);
    expect(around.told).toEqual([]);
    around.exchange.enforceLimits(after);
    around.exchange.enforceLimits(after + 1_000);
    expect(around.told).toEqual(['cancelled', `error ${code}`, 'over']);
  });

  it('that is being answered has no time limit but the access’s', () => {
    const around = new Around();
    around.begun().head(200, []);
    around.exchange.flush();
    around.exchange.enforceLimits(999);
    expect(around.told).toEqual(['head 200']);
    around.exchange.enforceLimits(1_000);
    expect(around.told).toEqual(['head 200', 'cancelled', 'error TUNNEL_ERROR', 'over']);
  });

  it('is not over before the rest of its body has come, and that is dropped', () => {
    const around = new Around();
    around.exchange.begin();
    around.handlers?.head(413, []);
    around.handlers?.end();
    expect(around.told).toEqual(['asked with a body', 'head 413, end', 'more body']);
    around.exchange.body(Buffer.from('late'));
    around.exchange.bodyEnd();
    expect(around.told.slice(3)).toEqual(['over']);
  });

  it('whose lane is gone is cancelled at the API server, and nothing is answered', async () => {
    const around = new Around();
    const handlers = around.begun();
    handlers.head(200, []);
    around.exchange.cancel();
    handlers.data(Buffer.from('a'));
    handlers.end();
    await turn();
    expect(around.told).toEqual(['cancelled']);
  });
});

describe('an upgrade on a lane', () => {
  const upgrade = { upgrade: true };

  it('takes no bytes before the 101, whatever the answer is (UP-01)', () => {
    const early = new Around(upgrade);
    expect(() => early.exchange.body(Buffer.from('GET /'))).toThrow(LaneViolation);
    const asked = new Around(upgrade);
    asked.exchange.begin();
    expect(() => asked.exchange.body(Buffer.from('GET /'))).toThrow(LaneViolation);
    asked.handlers?.head(403, []);
    asked.handlers?.end();
    expect(() => asked.exchange.body(Buffer.from('GET /'))).toThrow(LaneViolation);
    expect(asked.told.some((told) => told.startsWith('sent'))).toBe(false);
  });

  it.each([
    ['the API server first', ['data b', 'end', 'sent a', 'sent end', 'over']],
    ['the person first', ['sent a', 'sent end', 'data b', 'end', 'over']],
  ])('goes on in one direction when the other has ended: %s', async (first, told) => {
    const around = new Around(upgrade);
    const handlers = await around.switched();
    const ends = [
      (): void => {
        handlers.data(Buffer.from('b'));
        handlers.end();
      },
      (): void => {
        around.exchange.body(Buffer.from('a'));
        around.exchange.bodyEnd();
      },
    ];
    for (const end of first === 'the person first' ? ends.toReversed() : ends) end();
    expect(around.told).toEqual(told);
  });

  it('whose API server has left goes on until the person ends it', async () => {
    const around = new Around(upgrade);
    const handlers = await around.switched();
    handlers.end();
    handlers.drain();
    expect(around.told).toEqual(['end', 'more body']);
    around.exchange.bodyEnd();
    handlers.fail({ code: 'AGENT_ERROR', message: 'it could not take the rest' });
    expect(around.told).toEqual(['end', 'more body', 'sent end', 'over']);
  });

  it('that broke is told as a failure', async () => {
    const around = new Around(upgrade);
    const handlers = await around.switched();
    handlers.data(Buffer.from('half'));
    handlers.fail({ code: 'AGENT_ERROR', message: 'broken' });
    expect(around.told).toEqual(['data half', 'error AGENT_ERROR', 'more body']);
  });

  it('ends with the access, also when one direction has ended before (UP-05)', async () => {
    const whole = new Around(upgrade);
    await whole.switched();
    whole.exchange.enforceLimits(999);
    expect(whole.told).toEqual([]);
    whole.exchange.enforceLimits(1_000);
    expect(whole.told).toEqual(['cancelled', 'error TUNNEL_ERROR', 'more body']);
    const half = new Around(upgrade);
    (await half.switched()).end();
    half.exchange.enforceLimits(1_000);
    half.exchange.enforceLimits(1_250);
    expect(half.told).toEqual(['end', 'cancelled', 'lane reset']);
  });
});

import type { ClientHttp2Session } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { Pulse } from './pulse.ts';

class Session {
  destroyed = false;
  readonly pings: ((error: Error | null, durationMs: number) => void)[] = [];
  ping(answer: (error: Error | null, durationMs: number) => void): void {
    this.pings.push(answer);
  }
  destroy(): void {
    this.destroyed = true;
  }
}

function beating(): { session: Session; pulse: Pulse; pass: (toMs: number, answers: boolean) => void } {
  const session = new Session();
  const pulse = new Pulse(session as unknown as ClientHttp2Session, 0);
  let now = 0;
  const pass = (toMs: number, answers: boolean): void => {
    for (; now <= toMs; now += 250) {
      pulse.tick(now);
      if (answers) for (const answer of session.pings.splice(0)) answer(null, 3);
    }
  };
  return { session, pulse, pass };
}

describe('the pulse of a connection (F-22, D35)', () => {
  it('is asked for every five seconds', () => {
    const { session, pass } = beating();
    pass(20_000, false);
    expect(session.pings).toHaveLength(4);
  });

  it('goes on for ever while there are answers', () => {
    const { session, pulse, pass } = beating();
    pass(600_000, true);
    expect({ silent: pulse.isSilent(600_000), ended: session.destroyed, rtt: pulse.roundTripMs }).toEqual({
      silent: false,
      ended: false,
      rtt: 3,
    });
  });

  it('is silent after 15 s without an answer, and over after 30', () => {
    const { session, pulse, pass } = beating();
    pass(60_000, true);
    pass(74_000, false);
    expect(pulse.isSilent(74_000)).toBe(false);
    pass(75_500, false);
    expect(pulse.isSilent(75_500)).toBe(true);
    expect(session.destroyed).toBe(false);
    pass(91_000, false);
    expect(session.destroyed).toBe(true);
  });

  it('does not take an answer to an old question for a sign of life (F-18)', () => {
    const { session, pulse, pass } = beating();
    pass(5_000, false);
    // The process was stopped for half a minute; the answer lay in the socket.
    session.pings[0]?.(null, 30_000);
    expect(pulse.isSilent(35_000)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { SubscriptionLimit } from './subscription-limit.ts';

const enter = (limit: SubscriptionLimit, client: string, times: number) =>
  Array.from({ length: times }, () => limit.enter(client));

describe('the limit of open subscriptions', () => {
  it('refuses the 101st of one client and still takes another client', () => {
    const limit = new SubscriptionLimit();
    enter(limit, 'one', 100);
    expect(() => limit.enter('one')).toThrow('too many subscriptions');
    expect(() => limit.enter('two')).not.toThrow();
  });

  it('refuses the 1,001st in all', () => {
    const limit = new SubscriptionLimit();
    for (let client = 0; client < 20; client += 1) enter(limit, `client ${client}`, 50);
    expect(() => limit.enter('late')).toThrow('too many subscriptions');
  });

  it('gives a place back when a subscription ends', () => {
    const limit = new SubscriptionLimit();
    const [leave] = enter(limit, 'one', 100);
    leave?.();
    expect(() => limit.enter('one')).not.toThrow();
  });
});

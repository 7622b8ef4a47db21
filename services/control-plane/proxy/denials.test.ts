import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RequestId } from '@clustral/schemas/ids.ts';
import { createDenials, sourceGroup } from './denials.ts';
import type { Denial, Gap } from './proxy-records.ts';

type Watched = {
  readonly denied: Denial[];
  readonly gaps: Gap[];
  full: boolean;
  at: number;
  report(address: string, errorCode?: string): void;
  lost(): void;
  flush(): void;
};

function watched(): Watched {
  const it: Watched = {
    denied: [],
    gaps: [],
    full: false,
    at: Date.parse('2026-11-25T12:00:00Z'),
    report: (address, errorCode = 'INVALID_TOKEN') => denials.report(denial(address, errorCode)),
    lost: () => denials.lost(new Date(it.at - 5_000), new Date(it.at)),
    flush: () => denials.stop(),
  };
  const denial = (sourceAddress: string, errorCode: string): Denial => ({
    requestId: randomUUID() as RequestId,
    clusterId: null,
    userId: null,
    credentialId: null,
    errorCode,
    status: 401,
    method: 'GET',
    path: '/api/proxy/x',
    count: 1,
    at: new Date(it.at),
    origin: { correlationId: 'c', sourceAddress },
  });
  const denials = createDenials({
    trail: {
      denied: (one) => void it.denied.push(one),
      gap: (gap) => void it.gaps.push(gap),
      isFull: () => it.full,
    },
    now: () => new Date(it.at),
  });
  return it;
}

describe('refusals of people who are nobody yet', () => {
  it('D31 makes 10 a minute of one address records of their own, and counts the rest', () => {
    const it = watched();
    for (let second = 0; second < 6; second += 1) {
      for (let count = 0; count < 10; count += 1) it.report('192.0.2.1');
      it.at += 1_000;
    }
    expect(it.denied).toHaveLength(10);
    it.flush();
    expect(it.denied.slice(10)).toMatchObject([{ count: 50, errorCode: 'INVALID_TOKEN', method: '*', path: '' }]);
    expect(it.denied[10]?.origin.sourceAddress).toBeUndefined();
    it.at += 60_000;
    it.report('192.0.2.1');
    expect(it.denied).toHaveLength(12);
  });

  it('D31 makes 20 a second records of their own, whoever asks', () => {
    const it = watched();
    for (let count = 0; count < 50; count += 1) it.report(`192.0.2.${count}`);
    expect(it.denied).toHaveLength(20);
    it.at += 1_000;
    it.report('198.51.100.1');
    expect(it.denied).toHaveLength(21);
  });

  it('D31 counts each reason by itself', () => {
    const it = watched();
    it.full = true;
    for (const code of ['INVALID_TOKEN', 'RATE_LIMITED', 'RATE_LIMITED']) it.report('192.0.2.1', code);
    it.full = false;
    it.flush();
    expect(it.denied.map(({ errorCode, count }) => `${errorCode} ${count}`)).toEqual([
      'INVALID_TOKEN 1',
      'RATE_LIMITED 2',
    ]);
  });

  it('D31 keeps no more than 10,000 addresses, and loses no refusal for it', () => {
    const it = watched();
    for (let count = 0; count < 30_000; count += 1) {
      it.report(`10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`);
      it.at += 51;
    }
    it.flush();
    expect(it.denied.reduce((sum, { count }) => sum + count, 0)).toBe(30_000);
  });

  it('D31 tells what was lost as one gap, once there is room', () => {
    const it = watched();
    it.full = true;
    it.lost();
    it.lost();
    it.flush();
    expect(it.gaps).toEqual([]);
    it.full = false;
    it.flush();
    expect(it.gaps).toEqual([
      { clusterId: null, from: new Date(it.at - 5_000), to: new Date(it.at), reason: 'refusals' },
    ]);
  });
});

describe('the group of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::1', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['unknown', 'unknown'],
  ])('of %s is %s', (address, group) => {
    expect(sourceGroup(address)).toBe(group);
  });
});

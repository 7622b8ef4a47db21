import { describe, expect, it } from 'vitest';
import { isReplyHead } from './reply-check.ts';

describe('the head of a reply', () => {
  it('may be any final answer with lines that HTTP can carry', () => {
    expect(isReplyHead(200, ['content-type', 'a; b', 'x-empty', '', 'x-latin', '\u00e9\tx'], false)).toBe(true);
    expect(isReplyHead(599, [], false)).toBe(true);
    expect(isReplyHead(101, ['upgrade', 'SPDY/3.1'], true)).toBe(true);
  });

  it.each([0, 99, 100, 101, 103, 199, 600, 1000, NaN])('has no status %d', (status) => {
    expect(isReplyHead(status, [], false)).toBe(false);
  });

  it.each([
    ['x-a', 'b\r\nset-cookie: c'],
    ['x-a', 'b\nc'],
    ['x-a', '\u0000'],
    ['x-a', '\u2028'],
    ['x a', 'b'],
    ['', 'b'],
    [':status', '200'],
    ['x-a'],
  ])('has no line %j', (...lines) => {
    expect(isReplyHead(200, lines, false)).toBe(false);
  });
});

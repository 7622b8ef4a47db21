import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { confirm } from './question.ts';
import { captured } from './testing/context.ts';

const asked = async (typed: string, fallback: boolean) => {
  const { context, stderr, stdout } = captured({ stdin: Readable.from([typed]) });
  return { answer: await confirm(context, 'Sure?', { fallback }), stderr: stderr(), stdout: stdout() };
};

describe('a question', () => {
  it.each([
    ['\n', true, true],
    ['\n', false, false],
    ['y\n', false, true],
    [' YES \n', false, true],
    ['n\n', true, false],
    ['what?\n', true, false],
    ['', true, false],
  ])('answered with %j, where Enter means %s, is %s', async (typed, fallback, answer) => {
    expect((await asked(typed, fallback)).answer).toBe(answer);
  });

  it('stands on stderr and says what Enter means', async () => {
    expect(await asked('y\n', true)).toMatchObject({ stderr: 'Sure? [Y/n] ', stdout: '' });
    expect(await asked('y\n', false)).toMatchObject({ stderr: 'Sure? [y/N] ', stdout: '' });
  });

  it('that nobody answers is a no after two minutes', async () => {
    vi.useFakeTimers();
    try {
      const { context } = captured({ stdin: new PassThrough() });
      const answer = confirm(context, 'Sure?', { fallback: true });
      await vi.advanceTimersByTimeAsync(120_000);
      expect(await answer).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});

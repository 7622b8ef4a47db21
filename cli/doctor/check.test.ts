import { describe, expect, it } from 'vitest';
import { CliError, exitCodes } from '../failure.ts';
import { fail, ok, once, runChecks, skipped, warn, type Check, type Finding } from './check.ts';

const check = (name: string, finding: Finding | readonly Finding[], needs: readonly string[] = []): Check => ({
  name,
  needs,
  run: async () => finding,
});
const throwing = (name: string, cause: unknown): Check => ({ name, needs: [], run: () => Promise.reject(cause) });

describe('checks', () => {
  it('are told in their order, whichever ends first, and one may find several things', async () => {
    const slow = Promise.withResolvers<Finding>();
    const checks: Check[] = [
      { name: 'slow', needs: [], run: () => slow.promise },
      { name: 'quick', needs: [], run: async () => (slow.resolve(ok('late')), [warn('one', 'a'), fail('two', 'b')]) },
    ];
    expect(await runChecks(checks, 1_000)).toEqual([
      { check: 'slow', status: 'ok', message: 'late' },
      { check: 'quick', status: 'warn', message: 'one', fix: 'a' },
      { check: 'quick', status: 'fail', message: 'two', fix: 'b' },
    ]);
  });

  it('that need a failed one are skipped because of the first cause, and are not run', async () => {
    const never: Check = {
      name: 'third',
      needs: ['second'],
      run: () => Promise.reject(new Error('it was run')),
    };
    expect(
      await runChecks(
        [check('first', fail('broken', 'mend it')), check('second', ok('fine'), ['first']), never],
        1_000,
      ),
    ).toEqual([
      { check: 'first', status: 'fail', message: 'broken', fix: 'mend it' },
      { check: 'second', status: 'skipped', message: "because 'first' failed" },
      { check: 'third', status: 'skipped', message: "because 'first' failed" },
    ]);
  });

  it('that need a skipped one say its reason; a warning stops nothing', async () => {
    const results = await runChecks(
      [
        check('token', skipped('because it must be renewed first')),
        check('account', ok('fine'), ['token']),
        check('clock', warn('slow', 'set it')),
        check('after', ok('fine'), ['clock']),
      ],
      1_000,
    );
    expect(results.map(({ status, message }) => [status, message])).toEqual([
      ['skipped', 'because it must be renewed first'],
      ['skipped', 'because it must be renewed first'],
      ['warn', 'slow'],
      ['ok', 'fine'],
    ]);
  });

  it('that do not answer in time have failed, are told so, and hold up nobody', async () => {
    let stopped = false;
    const silent: Check = {
      name: 'silent',
      needs: [],
      run: (signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => (stopped = true));
        }),
    };
    expect(await runChecks([silent, check('other', ok('fine'))], 20)).toEqual([
      { check: 'silent', status: 'fail', message: 'no answer within 0.02 s', fix: expect.any(String) },
      { check: 'other', status: 'ok', message: 'fine' },
    ]);
    expect(stopped).toBe(true);
  });

  it.each([
    [
      'a foreseen failure',
      new CliError(exitCodes.conflict, 'taken', 'choose another'),
      { message: 'taken', fix: 'choose another' },
    ],
    [
      'a network error',
      Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
      { message: 'nothing listens at the address of the server' },
    ],
    ['anything else', new Error('odd \u001b[2J'), { message: 'odd \\u001b[2J' }],
  ])('that throw %s have failed with its words', async (...[, cause, expected]) => {
    const [result] = await runChecks([throwing('one', cause)], 1_000);
    expect(result).toMatchObject({ status: 'fail', ...expected });
    expect(result?.fix).toBeTruthy();
  });
});

describe('what several checks look at', () => {
  it('is looked for once, and not before somebody asks', async () => {
    let looked = 0;
    const version = once(async () => (looked += 1));
    expect(looked).toBe(0);
    expect(await Promise.all([version(), version()])).toEqual([1, 1]);
  });
});

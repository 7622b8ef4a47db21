import { expect, it } from 'vitest';
import { exitCodes } from '../failure.ts';
import { startInstant } from './start-instant.ts';

const noon = new Date('2026-04-01T12:00:00Z');

it.each([
  ['2026-04-01T22:00Z', '2026-04-01T22:00:00.000Z'],
  ['2026-04-01t22:00:30.5z', '2026-04-01T22:00:30.500Z'],
  ['2026-04-01T22:00+02:00', '2026-04-01T20:00:00.000Z'],
  ['8h', '2026-04-01T20:00:00.000Z'],
  ['1d12h', '2026-04-03T00:00:00.000Z'],
])('%s is a start', (text, at) => expect(startInstant(text, noon).toISOString()).toBe(at));

it.each(['', 'tomorrow', '2026-04-01', '2026-04-01T22:00', '2026-13-01T00:00Z', '22:00', '1.5h', '-1h', '4000000d'])(
  '%j is none, because nobody could be sure when it is',
  (text) =>
    expect(() => startInstant(text, noon)).toThrow(
      text === '4000000d' ? /longer/ : expect.objectContaining({ exitCode: exitCodes.usage }),
    ),
);

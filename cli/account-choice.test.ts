import { describe, expect, it } from 'vitest';
import { chooseAccount, lifeOf } from './account-choice.ts';
import { exitCodes, type CliError } from './failure.ts';
import { accountKey, type Account } from './profile.ts';

const account = (subject: string, displayName: string, username?: string): Account => ({
  server: 'https://clustral.example.com',
  issuer: 'https://idp.example.com',
  subject,
  displayName,
  ...(username === undefined ? {} : { username }),
  name: 'x',
  accessToken: 'a',
  accessTokenExpiresAt: '2026-04-01T12:05:00.000Z',
  signedInAt: '2026-04-01T11:00:00.000Z',
});

const admin = account('1', 'admin@corp.com', 'admin');
const dev = account('2', 'dev@corp.com', 'dev');
const otherDev = account('3', 'dev@other.com', 'dev');
const unnamed = account('4', 'sub-4');
const all = [admin, dev, otherDev, unnamed];

function refusalOf(name: string): CliError {
  try {
    chooseAccount(all, name);
  } catch (thrown) {
    return thrown as CliError;
  }
  throw new Error('it was not refused');
}

describe('the account that is meant', () => {
  it.each([
    ['admin@corp.com', admin],
    ['ADMIN@corp.com', admin],
    ['admin', admin],
    ['dev@other.com', otherDev],
    ['sub-4', unnamed],
    [accountKey(dev), dev],
    [accountKey(otherDev).slice(0, 12), otherDev],
  ])('is found by %s', (name, expected) => {
    expect(chooseAccount(all, name)).toBe(expected);
  });

  it('is not guessed when the name fits two: their keys are named instead', () => {
    const { exitCode, message, fix } = refusalOf('dev');
    expect([exitCode, message]).toEqual([exitCodes.usage, "2 accounts are called 'dev'"]);
    for (const one of [dev, otherDev]) {
      const key = accountKey(one).slice(0, 12);
      expect(fix).toContain(key);
      expect(chooseAccount(all, key)).toBe(one);
    }
  });

  it.each([
    ['admim', "did you mean 'admin'?"],
    ['nobody@corp.com', 'clustral accounts list'],
    ['\u001b[2J', 'clustral accounts list'],
    ['', 'clustral accounts list'],
  ])('is not there: %j', (name, fix) => {
    const refusal = refusalOf(name);
    expect(refusal).toMatchObject({ exitCode: exitCodes.notFound, fix });
    expect(refusal.message).not.toContain('\u001b');
  });
});

describe('the life of a session', () => {
  const now = new Date('2026-04-01T12:00:00Z');

  it.each([
    ['an access token alone', {}, '5m remaining', false],
    ['an access token that is over', { accessTokenExpiresAt: '2026-04-01T12:00:00.000Z' }, 'expired', true],
    ['a refresh token without a known end', { refreshToken: 'r' }, 'renews itself', false],
    ['a known end', { refreshToken: 'r', sessionEndsAt: '2026-04-01T15:42:10.000Z' }, '3h42m remaining', false],
    ['a known end that is past', { refreshToken: 'r', sessionEndsAt: '2026-04-01T11:59:59.000Z' }, 'expired', true],
    ['an end without a refresh token', { sessionEndsAt: '2026-04-01T15:42:10.000Z' }, '5m remaining', false],
  ])('with %s', (...[, change, text, isOver]) => {
    expect(lifeOf({ ...admin, ...change }, now)).toMatchObject({ text, isOver });
  });
});

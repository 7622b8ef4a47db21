import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseBootstrapToken } from '@clustral/schemas/bootstrap-token.ts';
import { parseClusterId } from '@clustral/schemas/ids.ts';
import { createBootstrapTokens, hashOf, isToken } from './bootstrap-tokens.ts';

const one = parseClusterId('6f1b2c3d-0000-4000-8000-000000000001');
const two = parseClusterId('6f1b2c3d-0000-4000-8000-000000000002');
const noon = new Date('2026-01-01T12:00:00Z');
const caPin = randomBytes(32).toString('base64url');
const oldKey = randomBytes(32).toString('base64');
const newKey = randomBytes(32).toString('base64');
const tokensWith = (keys: string) => createBootstrapTokens({ keys, caPin, now: () => noon, random: randomBytes });

describe('a bootstrap token', () => {
  it('has the published form, names the CA and lasts a day', () => {
    const { token, record } = tokensWith(oldKey).issue(one);
    expect(parseBootstrapToken(token).caPin).toBe(caPin);
    expect(record).toMatchObject({ caPin, hash: hashOf(token), expiresAt: '2026-01-02T12:00:00.000Z' });
    expect(JSON.stringify(record)).not.toContain(parseBootstrapToken(token).secret);
  });

  it('is made again from what the log keeps, also after the key was replaced, and not after the next time', () => {
    const { token, record } = tokensWith(oldKey).issue(one);
    expect(tokensWith(oldKey).again(one, record)).toBe(token);
    expect(tokensWith(`${newKey}\n${oldKey}\n`).again(one, record)).toBe(token);
    expect(tokensWith(newKey).again(one, record)).toBeUndefined();
  });

  it('is another for every cluster and every time', () => {
    const tokens = tokensWith(oldKey);
    const { token, record } = tokens.issue(one);
    expect(tokens.again(two, record)).not.toBe(token);
    expect(tokens.issue(one).token).not.toBe(token);
  });

  it('is known by its hash, and nothing passes when there is no record', () => {
    const { token, record } = tokensWith(oldKey).issue(one);
    expect(isToken(token, record)).toBe(true);
    expect(isToken(`${token.slice(0, -1)}_`, record)).toBe(token.endsWith('_'));
    expect(isToken(token, undefined)).toBe(false);
    expect(isToken('', undefined)).toBe(false);
  });

  it('needs one or two keys of 32 bytes', () => {
    for (const keys of ['', randomBytes(31).toString('base64'), [oldKey, oldKey, newKey].join('\n')])
      expect(() => tokensWith(keys)).toThrow('BOOTSTRAP_TOKEN_KEY_PATH');
  });
});

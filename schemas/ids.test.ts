import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Refusal } from './errors.ts';
import { isUuid, parseClusterId, parseCredentialId, parseRoleId, parseUserId } from './ids.ts';

const id = '3f0c8a52-7d2e-4a51-9a0e-5d4f1b6c7e10';
const refusalOf = (work: () => unknown): Refusal => {
  try {
    work();
  } catch (error) {
    return error as Refusal;
  }
  throw new Error('nothing was refused');
};

describe('an id', () => {
  it('is a UUID, and the same one in upper case', () => {
    expect(parseClusterId(id)).toBe(id);
    expect(parseClusterId(id.toUpperCase())).toBe(id);
  });

  it('is in lower case whatever came', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.boolean(), (uuid, upper) => {
        expect(parseUserId(upper ? uuid.toUpperCase() : uuid)).toBe(uuid.toLowerCase());
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['braces', `{${id}}`],
    ['no dashes', id.replaceAll('-', '')],
    ['a blank behind it', `${id} `],
    ['a line break behind it', `${id}\n`],
    ['something before it', `x${id}`],
    ['a letter that is no hex', id.replace('3f', 'zz')],
    ['dashes elsewhere', '3f0c8a527-d2e-4a51-9a0e-5d4f1b6c7e10'],
    ['a stream name', '$all'],
    ['a path', '../../etc/passwd'],
    ['an encoded zero byte', '%00'],
    ['full-width digits', id.replace('3', '３')],
    ['10 KB', 'a'.repeat(10_240)],
  ])('is refused with %s', (_, text) => {
    expect(isUuid(text)).toBe(false);
    const refusal = refusalOf(() => parseRoleId(text));
    expect(refusal).toMatchObject({ code: 'VALIDATION_ERROR', field: 'roleId' });
    expect(refusal.message.length).toBeLessThan(200);
  });

  it('is refused under the name of its field', () => {
    expect(refusalOf(() => parseClusterId('x'))).toMatchObject({ code: 'INVALID_CLUSTER_ID', field: 'clusterId' });
    expect(refusalOf(() => parseUserId('x'))).toMatchObject({ code: 'VALIDATION_ERROR', field: 'userId' });
    expect(refusalOf(() => parseCredentialId('x'))).toMatchObject({ code: 'VALIDATION_ERROR', field: 'credentialId' });
  });
});

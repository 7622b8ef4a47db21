import { describe, expect, it } from 'vitest';
import { isLeftOut, textsAt } from './claims.ts';

describe('a list in a token', () => {
  const payload = {
    realm_access: { roles: ['a', 'b'] },
    resource_access: { 'my.client': { roles: ['c'] }, 'my/client': { roles: ['d'] } },
    'https://corp.example/roles': ['e'],
    'cognito:groups': 'f',
    mixed: ['g', 7, null, '', 'x'.repeat(257), ['h'], 'CN=Ops team,OU=x'],
    groups: { a: true },
  };

  it.each([
    ['realm_access.roles', ['a', 'b']],
    ['/resource_access/my.client/roles', ['c']],
    ['/resource_access/my~1client/roles', ['d']],
    ['https://corp.example/roles', ['e']],
    ['cognito:groups', ['f']],
    ['mixed', ['g', 'CN=Ops team,OU=x']],
    ['groups', []],
    ['groups.a', []],
    ['realm_access', []],
    ['nothing.there', []],
    ['constructor.name', []],
    ['__proto__', []],
  ])('at %s is %j', (place, expected) => {
    expect(textsAt(payload, place)).toEqual(expected);
  });
});

describe('a claim that is left out because there are too many', () => {
  it.each([
    [
      'groups',
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://evil.example' } } },
      true,
    ],
    ['groups', { hasgroups: true }, true],
    ['groups', { hasgroups: 'true' }, true],
    ['roles', { hasgroups: true }, false],
    ['roles', { _claim_names: { groups: 'src1' } }, false],
    ['realm_access.roles', { _claim_names: { realm_access: 'src1' } }, true],
    ['groups', { groups: ['a'], _claim_names: 'groups' }, false],
    ['groups', { hasgroups: false }, false],
    ['toString', { _claim_names: {} }, false],
  ])('is seen at %s in %j: %s', (place, payload, expected) => {
    expect(isLeftOut(payload, place)).toBe(expected);
  });
});

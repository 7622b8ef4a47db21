import { describe, expect, it } from 'vitest';
import {
  parseAccessRequestId,
  parseDescription,
  parseFilter,
  parseGroups,
  parseLabels,
  parseName,
  parsePage,
  parseReason,
  parseReviewerEmails,
} from './input.ts';

const refusedOn = (field: string) => expect.objectContaining({ code: 'VALIDATION_ERROR', field });

describe('a name', () => {
  it.each(['a', 'prod', 'eu-west-1.prod', '0', 'a'.repeat(63)])('may be %s', (name) => {
    expect(parseName(name)).toBe(name);
  });

  it.each([
    '',
    'A',
    'a_b',
    '-a',
    'a-',
    '.a',
    'a.',
    'a b',
    'é',
    'a\n',
    'a'.repeat(64),
    'x"\n  exec: {command: sh}',
    '$all',
  ])('may not be %j', (name) => {
    expect(() => parseName(name)).toThrow(refusedOn('name'));
  });
});

describe('a Kubernetes group of a role', () => {
  it.each(['a', 'CN=ops team,OU=x', 'system:masters', 'oidc:é', 'x'.repeat(253)])(
    'may be %j, and is kept as it is',
    (group) => {
      expect(parseGroups([group])).toEqual([group]);
    },
  );

  it.each([
    '',
    ' a',
    'a ',
    '\u00a0a',
    'a\r\nImpersonate-Group: b',
    'a\tb',
    'x'.repeat(254),
    'system:nodes',
    'System:Masters',
    'system:kube-controller-manager',
    '\ud800',
  ])('may not be %j', (group) => {
    expect(() => parseGroups(['ok', group])).toThrow(refusedOn('k8sGroups'));
  });

  it('is one of 1 to 64, each named once', () => {
    expect(() => parseGroups([])).toThrow(refusedOn('k8sGroups'));
    expect(() => parseGroups(['a', 'b', 'a'])).toThrow(refusedOn('k8sGroups'));
    expect(() => parseGroups(Array.from({ length: 65 }, (_, n) => `g${n}`))).toThrow(refusedOn('k8sGroups'));
  });
});

describe('labels', () => {
  it('are kept', () => {
    expect(parseLabels({ 'example.com/team': 'ops', env: '' })).toEqual({ 'example.com/team': 'ops', env: '' });
  });

  it.each([
    [{ $where: '1' }],
    [JSON.parse('{"__proto__": "x"}') as Record<string, string>],
    [{ '': 'x' }],
    [{ 'a b': 'x' }],
    [{ a: 'x'.repeat(257) }],
    [{ a: '\u001b[2J' }],
    [{ ['k'.repeat(129)]: 'x' }],
    [Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, 'v']))],
  ])('may not be %j', (labels) => {
    expect(() => parseLabels(labels)).toThrow(refusedOn('labels'));
  });
});

describe('a page', () => {
  it('has 100 entries unless somebody says otherwise', () => {
    expect(parsePage({ pageSize: 0, pageToken: '' })).toEqual({ limit: 100 });
    expect(parsePage({ pageSize: 7, pageToken: 't' })).toEqual({ limit: 7, after: 't' });
  });

  it.each([-1, 201])('cannot have %d', (pageSize) => {
    expect(() => parsePage({ pageSize, pageToken: '' })).toThrow(refusedOn('pageSize'));
  });
});

describe('texts', () => {
  it('are refused by their field when they are too long or hold control characters', () => {
    expect(parseDescription('what it is for')).toBe('what it is for');
    expect(() => parseDescription('x'.repeat(1_025))).toThrow(refusedOn('description'));
    expect(() => parseDescription('\u001b]0;x\u0007')).toThrow(refusedOn('description'));
    expect(parseFilter('name', '')).toEqual({});
    expect(() => parseFilter('name', 'x'.repeat(321))).toThrow(refusedOn('name'));
  });
});

describe('a reason', () => {
  it.each(['', 'Incident 4711: queue is stuck', 'é'.repeat(1_000)])('may be %j, and is kept as it is', (reason) => {
    expect(parseReason(reason)).toBe(reason);
  });

  it.each(['x'.repeat(1_001), 'two\nlines', 'x\u001b]52;c;', '\ud800'])('may not be %j', (reason) => {
    expect(() => parseReason(reason)).toThrow(refusedOn('reason'));
  });
});

describe('suggested reviewers', () => {
  it('are any addresses, up to 20', () => {
    const emails = Array.from({ length: 20 }, (_, n) => `boss-${n}@corp.com`);
    expect(parseReviewerEmails(emails)).toEqual(emails);
    expect(parseReviewerEmails([])).toEqual([]);
  });

  it.each([
    [Array.from({ length: 21 }, () => 'a@b')],
    [['boss']],
    [['']],
    [['a@b c']],
    [['a@b@c']],
    [[`${'x'.repeat(253)}@b`]],
    [['a\u0007@b']],
  ])('are refused when they are %j', (emails) => {
    expect(() => parseReviewerEmails(emails)).toThrow(refusedOn('suggestedReviewerEmails'));
  });
});

describe('the id of an access request', () => {
  it('is the same in capitals, and nothing but a UUID', () => {
    const id = 'a0b1c2d3-e4f5-4061-8273-94a5b6c7d8e1';
    expect(parseAccessRequestId(id.toUpperCase())).toBe(id);
    for (const other of ['', 'x', `${id}0`, `{${id}}`])
      expect(() => parseAccessRequestId(other)).toThrow(refusedOn('id'));
  });
});

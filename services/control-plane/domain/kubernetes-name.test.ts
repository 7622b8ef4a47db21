import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claims } from './fixtures.ts';
import { foldName, kubernetesNameOf, type NameRule } from './kubernetes-name.ts';

const rule: NameRule = {
  emailTrustedIssuers: ['https://entra.example'],
  subjectNamedIssuers: ['https://many.example'],
};

describe('the name under which Kubernetes knows a person', () => {
  it('is the e-mail when the provider verified it', () => {
    expect(kubernetesNameOf(claims(), true, rule)).toEqual({ name: 'alice@corp.com', nameClass: 'verified' });
  });

  it.each([
    ['says that it is not verified', false],
    ['does not say', undefined],
  ])('is never the e-mail when the provider %s', (_, emailVerified) => {
    expect(kubernetesNameOf(claims(), emailVerified, rule)).toEqual({ name: 'alice', nameClass: 'claimed' });
  });

  it('is the e-mail of a trusted issuer that sends no claim, and not when it says "not verified"', () => {
    const person = claims({ issuer: 'https://entra.example' });
    expect(kubernetesNameOf(person, undefined, rule)).toEqual({ name: 'alice@corp.com', nameClass: 'verified' });
    expect(kubernetesNameOf(person, false, rule).nameClass).toBe('claimed');
  });

  it.each(['bob@corp.com', 'a:b', 'a#b', 'a/b', '', ' alice', 'alice ', 'a\nb'])(
    'is issuer and subject when the user name is %j, which could be taken for something else',
    (preferredUsername) => {
      const person = claims({ email: null, preferredUsername });
      expect(kubernetesNameOf(person, undefined, rule)).toEqual({
        name: 'https://id.example#alice',
        nameClass: 'subject',
      });
    },
  );

  it('is issuer and subject for issuers that the operator named', () => {
    const person = claims({ issuer: 'https://many.example' });
    expect(kubernetesNameOf(person, true, rule)).toEqual({ name: 'https://many.example#alice', nameClass: 'subject' });
  });

  it.each(['system:admin@x', 'System:Masters', 'SYSTEM:node:n1@corp', '\u017fystem:x@y'])(
    'is none when it would be %j',
    (email) => {
      expect(kubernetesNameOf(claims({ email }), true, rule).name).toBeNull();
    },
  );

  it.each(['josé@x', '山@x', 'a b@x'])('keeps %j exactly as received', (email) => {
    expect(kubernetesNameOf(claims({ email }), true, rule).name).toBe(email);
  });

  it('never begins with system:, never has a blank at an end or a control character', () => {
    const piece = fc.constantFrom(
      's',
      'S',
      '\u017f',
      'system:',
      ' ',
      '\n',
      '@',
      '#',
      '\u00e9',
      '\u0301',
      '\ud800',
      ':',
    );
    const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        fc.record({ email: text, preferredUsername: text, subject: text }),
        fc.option(fc.boolean(), { nil: undefined }),
        (said, verified) => {
          const { name } = kubernetesNameOf(claims(said), verified, rule);
          if (name === null) return;
          expect(name.toLowerCase().startsWith('system:')).toBe(false);
          expect(name.trim()).toBe(name);
          expect(name).not.toMatch(/\p{Cc}/u);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the folded form of a name', () => {
  it.each([
    ['Alice@X', 'alice@x'],
    ['e\u0301@x', '\u00e9@x'],
    ['STRASSE', 'straße'],
  ])('is the same for %j and %j', (one, other) => {
    expect(foldName(one)).toBe(foldName(other));
  });

  it.each(['ß', 'ẞ', 'SS', 'ss'])('takes every way to write a sharp s for one: %s', (name) => {
    expect(foldName(name)).toBe('ss');
  });

  it('is its own folded form, and does not care about letter case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(foldName(foldName(name))).toBe(foldName(name));
        expect(foldName(name.toUpperCase())).toBe(foldName(name));
      }),
    );
  });
});

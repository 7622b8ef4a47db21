import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { member } from './access-fixtures.ts';
import { review, userId } from './fixtures.ts';
import { longestGrant, mayReview, namesTicket, ticketForm } from './review.ts';

describe('who may review', () => {
  it('is nobody but administrators when the rules name nobody', () => {
    expect(mayReview(review(), member(2, 'oncall'))).toBe(false);
    expect(mayReview(review(), { ...member(2), isAdmin: true })).toBe(true);
  });

  it('is whoever is named, and members of what is named', () => {
    const rules = review({ reviewerIds: [userId(2)], reviewerGroups: ['CN=On Call,OU=Groups'] });
    expect(mayReview(rules, member(2))).toBe(true);
    expect(mayReview(rules, member(3, 'CN=On Call,OU=Groups'))).toBe(true);
    expect(mayReview(rules, member(3, 'On Call', 'CN=On Call'))).toBe(false);
  });
});

it('the longest grant is the shorter of what the role and the installation allow', () => {
  expect(longestGrant(review(), 600)).toBe(600);
  expect(longestGrant(review({ maxSeconds: 60 }), 600)).toBe(60);
  expect(longestGrant(review({ maxSeconds: 6_000 }), 600)).toBe(600);
});

describe('a ticket', () => {
  it.each([
    ['OPS-12', ['OPS-#']],
    ['fixes (ops-7).', ['OPS-#']],
    ['INC0004711: queue', ['CHG#', 'INC#']],
    ['see team/repo-12', ['team/repo-#']],
    ['INC12-3', ['INC#-#']],
    ['a FREEZE day', ['freeze']],
  ])('is named by %j', (reason, forms) => expect(namesTicket(reason, forms)).toBe(true));

  it.each([
    ['', ['OPS-#']],
    ['OPS-', ['OPS-#']],
    ['OPS-12a', ['OPS-#']],
    ['XOPS-12', ['OPS-#']],
    ['OPS - 12', ['OPS-#']],
    ['OPS-١٢', ['OPS-#']],
  ])('is not named by %j', (reason, forms) => expect(namesTicket(reason, forms)).toBe(false));

  it.each(['OPS-#', 'INC#', '#', 'a/b_c-#', 'INC#-#', 'FREEZE'])('may be of the form %s', (form) =>
    expect(ticketForm.test(form)).toBe(true),
  );
  it.each(['', '##', '#1', '1#', 'a b', 'OPS-\\d+', '(a+)+', '.*', 'x'.repeat(65), 'OPS-#\n'])(
    'cannot be of the form %j',
    (form) => expect(ticketForm.test(form)).toBe(false),
  );

  it('is looked for in a time that grows with the reason and no faster, whatever the form', () => {
    const characters = fc.constantFrom('A', '#', '-', '/');
    const forms = fc.array(characters, { minLength: 1, maxLength: 64 }).map((all) => all.join(''));
    fc.assert(
      fc.property(
        forms.filter((form) => ticketForm.test(form)),
        (form) => {
          const reason = `${form.replaceAll('#', '1').repeat(3)}${'1'.repeat(800)}`.slice(0, 1_000);
          const begun = performance.now();
          namesTicket(reason, Array(10).fill(form));
          expect(performance.now() - begun).toBeLessThan(50);
        },
      ),
    );
  });
});

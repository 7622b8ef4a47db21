import { describe, expect, it } from 'vitest';
import { askMessage, emptyAsk } from './ask.ts';

describe('asking for access', () => {
  it('sends a reason in one line and each reviewer apart', () => {
    const message = askMessage({ ...emptyAsk, reason: ' incident\n 4711 ', reviewers: 'a@x.org, b@x.org;\nc@x.org ' });
    expect(message.reason).toBe('incident 4711');
    expect(message.suggestedReviewerEmails).toEqual(['a@x.org', 'b@x.org', 'c@x.org']);
  });

  it('names a start only when one was chosen', () => {
    expect(askMessage(emptyAsk)).not.toHaveProperty('startsAt');
    const { startsAt } = askMessage({ ...emptyAsk, startsAt: '2026-11-20T14:00' });
    expect(Number(startsAt?.seconds)).toBe(new Date(2026, 10, 20, 14).getTime() / 1_000);
  });
});

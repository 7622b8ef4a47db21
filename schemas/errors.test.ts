import { describe, expect, it } from 'vitest';
import { errorCatalogue, errorPage, isErrorCode, Refusal, type ErrorCode } from './errors.ts';

const entries = Object.entries(errorCatalogue) as [ErrorCode, (typeof errorCatalogue)[ErrorCode]][];

/** HTTP statuses that fit a Connect code: what a client may conclude from one must follow from the other. */
const fitting: Readonly<Record<string, readonly number[]>> = {
  invalid_argument: [400, 415, 422],
  unauthenticated: [401],
  permission_denied: [403],
  not_found: [404],
  already_exists: [409],
  failed_precondition: [409, 422],
  aborted: [409],
  resource_exhausted: [413, 429],
  unavailable: [502, 503],
  deadline_exceeded: [504],
  unimplemented: [404, 405],
  internal: [500],
};

describe('the error catalogue', () => {
  it.each(entries)('%s has a status and a Connect code that fit each other', (_, { http, connect }) => {
    expect(fitting[connect]).toContain(http);
  });

  it.each(entries)('%s has a title without a full stop and an advice with one', (code, { title, advice }) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(advice).toMatch(/^['A-Z].*\.$/);
  });

  it('gives each code a page of its own', () => {
    const pages = entries.map(([code]) => errorPage('https://docs.example/errors', code));
    expect(new Set(pages).size).toBe(entries.length);
    expect(errorPage('https://docs.example/errors/', 'AGENT_NOT_CONNECTED')).toBe(
      'https://docs.example/errors/agent-not-connected',
    );
  });

  it('knows its codes and nothing that every object has', () => {
    expect(entries.every(([code]) => isErrorCode(code))).toBe(true);
    expect(['toString', 'constructor', '__proto__', '', 'agent_error'].some(isErrorCode)).toBe(false);
  });
});

describe('a refusal', () => {
  it('keeps the field apart from the facts', () => {
    const refusal = new Refusal('VALIDATION_ERROR', 'No.', { field: 'ttl', maximum: '8h' });
    expect(refusal).toMatchObject({
      code: 'VALIDATION_ERROR',
      message: 'No.',
      field: 'ttl',
      metadata: { maximum: '8h' },
    });
    expect(new Refusal('FORBIDDEN', 'No.').field).toBeUndefined();
  });
});

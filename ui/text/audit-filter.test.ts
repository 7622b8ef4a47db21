import { describe, expect, it } from 'vitest';
import { stateOf } from '../data/parameters.ts';
import { auditCommand, auditQuestion, auditShape, boundsOf, millisOf, rangeOf } from './audit-filter.ts';
import { commandLine } from './shell.ts';

const now = Date.parse('2026-11-20T14:05:12.400Z');
const state = (query: Record<string, string>) => stateOf(auditShape, query);

describe('the filters of the audit log', () => {
  it('are the last day unless the address says otherwise', () => {
    expect(rangeOf(state({}))).toBe('24h');
    expect(boundsOf(state({}), now)).toEqual({ from: now - 86_400_000 });
    expect(boundsOf(state({ range: 'all' }), now)).toEqual({});
  });

  it('take instants for a range of their own, UTC unless a zone is named', () => {
    const { from, to } = boundsOf(state({ from: '2026-11-20T13:00', to: '2026-11-20T16:00+01:00' }), now);
    expect([from, to]).toEqual([Date.parse('2026-11-20T13:00Z'), Date.parse('2026-11-20T15:00Z')]);
    expect(millisOf('yesterday')).toBeUndefined();
    expect(millisOf('2026-13-45')).toBeUndefined();
  });

  it('become the question of the API and nothing of it is lost', () => {
    const question = auditQuestion(
      state({
        q: 'delete pod',
        category: 'proxy',
        code: 'cpr002w',
        severity: 'Warning',
        user: 'alice',
        cluster: 'c',
        resource: 'r',
        correlation: 'x',
        request: 'q',
        range: 'all',
      }),
      now,
    );
    expect(question).toEqual({
      text: 'delete pod',
      category: 'proxy',
      code: 'CPR002W',
      severity: 'Warning',
      user: 'alice',
      clusterId: 'c',
      resourceId: 'r',
      correlationId: 'x',
      requestId: 'q',
    });
  });

  it('ignore a category or a severity that there is not', () => {
    expect(auditQuestion(state({ category: 'secrets', severity: 'Fatal', range: 'all' }), now)).toMatchObject({
      category: '',
      severity: '',
    });
  });

  it('become a command whose values are single words', () => {
    expect(commandLine(auditCommand(state({ q: "it's; rm", user: 'a@b.c', range: '15m' }), now))).toBe(
      String.raw`clustral audit --text 'it'\''s; rm' --user a@b.c --from 2026-11-20T13:50:12Z`,
    );
  });
});

import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { ListAuditEventsRequestSchema } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { parseAuditRequest } from './filters.ts';

type Fields = MessageInitShape<typeof ListAuditEventsRequestSchema>;
const asked = (fields: Fields = {}) => parseAuditRequest(create(ListAuditEventsRequestSchema, fields));
const at = (iso: string) => timestampFromDate(new Date(iso));
const id = '3F0C8A52-7D2E-4A51-9A0E-5D4F1B6C7E10';

describe('a search of the audit', () => {
  it('without filters is the first fifty events', () => {
    expect(asked()).toEqual({ query: { filters: {}, limit: 50, skip: 0 }, page: 1, pageSize: 50 });
  });

  it('keeps every filter that is given', () => {
    const { query } = asked({
      category: 'proxy',
      code: 'CPR001I',
      severity: 'Warning',
      user: 'Ada@corp.example',
      clusterId: id,
      resourceId: id,
      correlationId: 'Trace.1_a-b',
      requestId: id,
      text: 'delete pods',
      from: at('2026-04-01T00:00:00Z'),
      to: at('2026-04-11T00:00:00Z'),
    });
    expect(query.filters).toEqual({
      category: 'proxy',
      code: 'CPR001I',
      severity: 'Warning',
      user: 'Ada@corp.example',
      clusterId: id.toLowerCase(),
      resourceId: id.toLowerCase(),
      correlationId: 'Trace.1_a-b',
      accessRequestId: id.toLowerCase(),
      text: 'delete pods',
      fromAt: Date.parse('2026-04-01T00:00:00Z'),
      toAt: Date.parse('2026-04-11T00:00:00Z'),
    });
  });

  it('goes by page, or by a cursor, which wins', () => {
    expect(asked({ page: 3, pageSize: 20 })).toMatchObject({ query: { skip: 40, limit: 20 }, page: 3, pageSize: 20 });
    expect(asked({ page: 3, pageSize: 20, pageToken: 'abc' })).toEqual({
      query: { filters: {}, limit: 20, after: 'abc' },
      page: 0,
      pageSize: 20,
    });
  });

  it('takes a person as a literal text, whatever it looks like', () => {
    expect(asked({ user: '(a+)+$' }).query.filters).toEqual({ user: '(a+)+$' });
  });

  it('may be for one instant', () => {
    const instant = at('2026-04-01T00:00:00Z');
    expect(asked({ from: instant, to: instant }).query.filters.fromAt).toBe(Date.parse('2026-04-01T00:00:00Z'));
  });

  it.each<[string, Fields]>([
    ['page', { page: 0 }],
    ['page', { page: -1 }],
    ['page', { page: 1_000_000_000 }],
    ['page', { page: 51, pageSize: 200 }],
    ['pageSize', { pageSize: 0 }],
    ['pageSize', { pageSize: -5 }],
    ['pageSize', { pageSize: 201 }],
    ['from', { from: at('2026-04-02T00:00:00Z'), to: at('2026-04-01T00:00:00Z') }],
    ['from', { from: { seconds: 9_007_199_254_740_991n, nanos: 0 } }],
    ['to', { to: { seconds: -9_007_199_254_740_991n, nanos: 0 } }],
    ['category', { category: 'everything' }],
    ['category', { category: '{"$gt":""}' }],
    ['code', { code: 'CPR001' }],
    ['severity', { severity: 'warning' }],
    ['severity', { severity: 'constructor' }],
    ['clusterId', { clusterId: '{"$ne":null}' }],
    ['clusterId', { clusterId: '../x' }],
    ['resourceId', { resourceId: 'a'.repeat(129) }],
    ['correlationId', { correlationId: 'a b' }],
    ['requestId', { requestId: '$all' }],
    ['user', { user: 'a'.repeat(321) }],
    ['text', { text: '.*' }],
    ['text', { text: 'a' }],
    ['text', { text: 'word '.repeat(50) }],
  ])('is refused over its %s: %o', (field, fields) => {
    let thrown: unknown;
    try {
      asked(fields);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refusal);
    expect(thrown).toMatchObject({ code: 'VALIDATION_ERROR', field });
  });
});

import { describe, expect, it } from 'vitest';
import type { LaneHandlers } from '../ports.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { isOpenApiIndex, prefixedIndex } from './openapi-index.ts';

const prefix = '/api/proxy/0192f0c1-0000-7000-8000-000000000001';

function recorder(): { handlers: LaneHandlers; told: string[] } {
  const told: string[] = [];
  const handlers: LaneHandlers = {
    head: (status, headers) => void told.push(`head ${status} ${headers.join(' ')}`),
    data: (chunk) => told.push(`data ${chunk.length < 2_000 ? chunk.toString() : chunk.length}`) > 0,
    end: () => void told.push('end'),
    fail: ({ code }) => void told.push(`fail ${code}`),
    drain: () => void told.push('drain'),
  };
  return { handlers, told };
}

describe('the index of OpenAPI v3', () => {
  it.each([
    ['GET', '/openapi/v3', true],
    ['GET', '/openapi/v3?timeout=32s', true],
    ['GET', '/openapi/v3/api/v1', false],
    ['GET', '/openapi/v2', false],
    ['POST', '/openapi/v3', false],
  ])('%s %s is it: %s', (method, target, is) => {
    expect(isOpenApiIndex(method, target)).toBe(is);
  });

  it.each([['application/json'], ['text/plain; charset=utf-8']])(
    'gets the cluster’s prefix before every URL, in however many pieces it comes, as %s',
    (type) => {
      const { handlers, told } = recorder();
      const index =
        '{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=A"},"version":{"serverRelativeURL": "/openapi/v3/version"}}}';
      const through = prefixedIndex(handlers, prefix);
      through.head(200, ['Content-Type', type, 'Content-Length', String(index.length)]);
      for (const piece of [index.slice(0, 41), index.slice(41)]) through.data(Buffer.from(piece));
      through.end();
      const changed = index.replaceAll('"/openapi', `"${prefix}/openapi`);
      expect(told).toEqual([
        `head 200 Content-Type ${type} Content-Length ${changed.length}`,
        `data ${changed}`,
        'end',
      ]);
    },
  );

  it.each([
    ['another status', 304, ['Content-Type', 'application/json']],
    ['another type', 200, ['Content-Type', 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf']],
    ['a compressed body', 200, ['Content-Type', 'application/json', 'Content-Encoding', 'gzip']],
  ])('leaves %s alone', (_what, status, headers) => {
    const { handlers, told } = recorder();
    const through = prefixedIndex(handlers, prefix);
    through.head(status, headers);
    through.data(Buffer.from('{"serverRelativeURL":"/openapi/v3/x"}'));
    through.end();
    expect(told).toEqual([`head ${status} ${headers.join(' ')}`, 'data {"serverRelativeURL":"/openapi/v3/x"}', 'end']);
  });

  it('passes on untouched what is too large to be an index', () => {
    const { handlers, told } = recorder();
    const through = prefixedIndex(handlers, prefix);
    through.head(200, ['content-type', 'application/json']);
    for (let piece = 0; piece < 3; piece += 1) through.data(Buffer.alloc(600_000, 120));
    through.end();
    expect(told).toEqual([
      'head 200 content-type application/json',
      'data 600000',
      'data 600000',
      'data 600000',
      'end',
    ]);
  });

  it('tells of a failure and nothing of what it held', () => {
    const { handlers, told } = recorder();
    const through = prefixedIndex(handlers, prefix);
    through.head(200, ['content-type', 'application/json']);
    through.fail(new Refusal('AGENT_ERROR', 'gone'));
    expect(told).toEqual(['fail AGENT_ERROR']);
  });
});

import { describe, expect, it } from 'vitest';
import { foreignCall, foreignRead } from './same-origin.ts';

const origin = 'https://clustral.example:8443';

describe('UI-04 a call that changes something', () => {
  it.each<[string, Record<string, string>]>([
    ['a page of ours', { origin, 'sec-fetch-site': 'same-origin' }],
    ['a page of ours in a browser without fetch metadata', { origin }],
  ])('is taken from %s', (_from, headers) => {
    expect(foreignCall(headers, origin)).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['nowhere', {}],
    ['nowhere, though the browser calls it ours', { 'sec-fetch-site': 'same-origin' }],
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another port of the same host', { origin: 'https://clustral.example', 'sec-fetch-site': 'same-site' }],
    ['the same host without TLS', { origin: 'http://clustral.example:8443' }],
    ['a host that begins with ours', { origin: 'https://clustral.example:8443.evil.example' }],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a page that forged only what it could', { origin, 'sec-fetch-site': 'cross-site' }],
    ['a neighbour', { origin, 'sec-fetch-site': 'same-site' }],
    ['no page', { origin, 'sec-fetch-site': 'none' }],
    ['a word that is none', { origin, 'sec-fetch-site': 'same-origin, cross-site' }],
  ])('is refused from %s', (_from, headers) => {
    expect(foreignCall(headers, origin)).toBeTypeOf('string');
  });
});

describe('UI-04 a question', () => {
  it.each<[string, Record<string, string>]>([
    ['a page of ours', { 'sec-fetch-site': 'same-origin' }],
    ['a person who typed the address', { 'sec-fetch-site': 'none' }],
    ['a browser without fetch metadata', {}],
  ])('is taken from %s', (_from, headers) => {
    expect(foreignRead(headers, origin)).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of the same host', { 'sec-fetch-site': 'same-site' }],
    ['another site in an older browser', { origin: 'https://evil.example' }],
  ])('is refused from %s', (_from, headers) => {
    expect(foreignRead(headers, origin)).toBeTypeOf('string');
  });
});

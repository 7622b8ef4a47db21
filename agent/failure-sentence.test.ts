import { describe, expect, it } from 'vitest';
import { codeOf, failureSentence, isClockProblem, isUntrusted } from './failure-sentence.ts';

const place = { what: "The cluster's API server", host: 'kube:443', trust: 'AGENT_KUBERNETES_CA_PATH' };
const now = new Date('2026-05-01T12:00:00Z');
const coded = (code: string): Error => Object.assign(new Error('secret detail'), { code });
const say = (error: unknown): string => failureSentence(error, place, now);

describe('a failure in one sentence', () => {
  it.each([
    ['ENOTFOUND', /cannot be resolved/],
    ['ECONNREFUSED', /refuses connections/],
    ['ETIMEDOUT', /does not answer/],
    ['ECONNRESET', /closed the connection/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted .* look at AGENT_KUBERNETES_CA_PATH/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /not trusted/],
    ['CERT_HAS_EXPIRED', /outside its dates .* the clock here says 2026-05-01T12:00:00/],
    ['EWHATEVER', /cannot be used \(EWHATEVER\)/],
  ])('names %s, the place and what to do', (code, sentence) => {
    expect(say(coded(code))).toMatch(sentence);
    expect(say(coded(code))).toContain('kube:443');
    expect(say(coded(code))).not.toContain('secret detail');
  });

  it('finds the code of an error that stands for others', () => {
    expect(codeOf(new AggregateError([coded('ECONNREFUSED'), coded('EHOSTUNREACH')]))).toBe('ECONNREFUSED');
    expect(codeOf(new Error('outer', { cause: coded('ENOTFOUND') }))).toBe('ENOTFOUND');
    expect(codeOf('text')).toBeUndefined();
    expect(say(undefined)).toContain('unknown reason');
  });

  it('names the file when it is one that failed', () => {
    const error = Object.assign(coded('EACCES'), { path: '/var/lib/clustral/token' });
    expect(say(error)).toMatch(/^\/var\/lib\/clustral\/token cannot be read or written \(EACCES\)/);
  });

  it('tells a certificate that is not trusted from a clock that is wrong', () => {
    expect([isUntrusted(coded('CERT_UNTRUSTED')), isUntrusted(coded('ECONNRESET'))]).toEqual([true, false]);
    expect([isClockProblem(coded('CERT_NOT_YET_VALID')), isClockProblem(coded('CERT_UNTRUSTED'))]).toEqual([
      true,
      false,
    ]);
  });
});

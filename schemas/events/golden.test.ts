import { describe, expect, it } from 'vitest';
import { eventCatalogue } from './catalogue.ts';
import { decodeFact, UndecodableFact } from './decode.ts';
import type { Recorded } from './envelope.ts';
import { goldenSamples } from './golden/samples.ts';

const samples = goldenSamples();
const sampleOf = (name: string): Recorded => {
  const sample = samples.find((one) => one.name === `${name}.v1.json`);
  if (!sample) throw new Error(`no sample ${name}`);
  return sample.fact;
};
const withData = (name: string, data: object): Recorded => {
  const fact = sampleOf(name);
  return { ...fact, data: { ...fact.data, ...data } };
};

describe('stored facts', () => {
  it.each(samples.map(({ name, fact }) => [name, fact] as const))('%s is still read', (_, fact) => {
    expect(decodeFact(fact)).toEqual(fact);
  });

  it('every type of the catalogue has a golden sample', () => {
    const sampled = new Set(samples.map(({ fact }) => fact.type));
    expect(Object.keys(eventCatalogue).filter((type) => !sampled.has(type))).toEqual([]);
  });

  it('each sample has its own place in the log', () => {
    expect(new Set(samples.map(({ fact }) => fact.position)).size).toBe(samples.length);
    expect(new Set(samples.map(({ fact }) => `${fact.stream}@${fact.revision}`)).size).toBe(samples.length);
  });
});

describe('decoding a fact', () => {
  it('lets fields through that a later build added', () => {
    const fact = withData('role.created', { colour: 'green' });
    expect(decodeFact(fact)).toEqual(fact);
  });

  it.each([
    ['of a type that this build does not know', { ...sampleOf('role.created'), type: 'role.painted' }],
    ['of a type named like something every object has', { ...sampleOf('role.created'), type: 'constructor' }],
    [
      'of a newer schema version',
      { ...sampleOf('role.created'), metadata: { ...sampleOf('role.created').metadata, schemaVersion: 2 } },
    ],
    ['whose data is not an object', { ...sampleOf('role.created'), data: [] }],
    ['whose metadata is missing', { ...sampleOf('role.created'), metadata: undefined as never }],
    ['that lacks a field', withData('role.created', { k8sGroups: undefined })],
    ['with a field of another kind', withData('role.created', { k8sGroups: ['a', 1] })],
    ['with an instant that is none', withData('access_request.created', { expiresAt: 'tomorrow' })],
    ['of a request that ended without an outcome', withData('proxy.request', { outcome: undefined })],
    ['of a request in a phase that does not exist', withData('proxy.request', { phase: 'paused' })],
    ['with a person without claims', withData('user.synced', { claims: { issuer: 'i' } })],
  ])('refuses one %s', (_, fact) => {
    expect(() => decodeFact(fact)).toThrow(UndecodableFact);
  });

  it('says which fact and which field', () => {
    expect(() => decodeFact(withData('user.synced', { claims: { issuer: 'i' } }))).toThrow(
      /fact 0 of user-c2b4d6e8-.*\(user\.synced\).*data\.claims\.subject/,
    );
  });
});

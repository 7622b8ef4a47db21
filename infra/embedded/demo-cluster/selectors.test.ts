import { describe, expect, it } from 'vitest';
import type { KubeObject } from './objects.ts';
import { findResource } from './resources.ts';
import { matchesSelector, selectionOf, selectorText } from './selectors.ts';

const pods = findResource({ group: '', version: 'v1', plural: 'pods' });

describe('a selection', () => {
  it.each([
    ['labelSelector=app=web', true],
    ['labelSelector=app==web', true],
    ['labelSelector=app=db', false],
    ['labelSelector=app!=db', true],
    ['labelSelector=tier', false],
    ['labelSelector=!tier', true],
    ['labelSelector=app in (web,db),!tier', true],
    ['labelSelector=app notin (web,db)', false],
    ['labelSelector=tier notin (a)', true],
    ['labelSelector=', true],
    ['fieldSelector=metadata.name=p', true],
    ['fieldSelector=metadata.name!=p', false],
    ['fieldSelector=status.phase=Running,metadata.namespace=demo', true],
    ['fieldSelector=spec.nodeName=', true],
  ])('by %s: %s', (query, selected) => {
    expect(pods && selectionOf(new URLSearchParams(query), pods)(pod())).toBe(selected);
  });
});

describe('a selector of a spec', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'env', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  };

  it('matches when all of it does, and nothing when there is none', () => {
    expect(matchesSelector(selector, { app: 'web', env: 'a' })).toBe(true);
    expect(matchesSelector(selector, { app: 'web', env: 'a', old: '' })).toBe(false);
    expect(matchesSelector(selector, { app: 'web' })).toBe(false);
    expect(matchesSelector(undefined, { app: 'web' })).toBe(false);
  });

  it('reads as a query', () => {
    expect(selectorText(selector)).toBe('app=web,env in (a,b),!old');
  });
});

function pod(): KubeObject {
  const metadata = {
    name: 'p',
    namespace: 'demo',
    labels: { app: 'web' },
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
  };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: {}, status: { phase: 'Running' } };
}

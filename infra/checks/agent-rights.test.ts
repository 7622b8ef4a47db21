/** What the agent may do in a cluster, read from the manifests that people apply (SC-05). */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { textOf } from './committed-files.ts';

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
};

const manifest = (name: string): unknown => parse(textOf(`infra/k8s/agent/${name}.yaml`));
const rulesOf = (name: string): readonly Rule[] => (manifest(name) as { rules: readonly Rule[] }).rules;

describe('the rights of the agent', () => {
  it('SC-05 names no wildcard', () => {
    const words = [...rulesOf('clusterrole'), ...rulesOf('role')].flatMap((rule) => Object.values(rule).flat());
    expect(words.filter((word) => word.includes('*'))).toEqual([]);
  });

  it('SC-05 are to impersonate and nothing else in the cluster, and only in groups that are named', () => {
    for (const { verbs, resources, resourceNames } of rulesOf('clusterrole')) {
      expect(verbs).toEqual(['impersonate']);
      if (resources.includes('groups')) expect(resourceNames?.length).toBeGreaterThan(0);
      else expect(resources).toEqual(['users']);
    }
  });

  it('SC-05 reach one Secret, its own', () => {
    expect(rulesOf('role')).toEqual([
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['clustral-agent-credentials'],
        verbs: ['get', 'update'],
      },
    ]);
  });
});

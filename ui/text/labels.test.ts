import { expect, it } from 'vitest';
import { labelChange, labelsOf, labelText } from './labels.ts';

it('labels are read line by line, and what is none is named', () => {
  expect(labelsOf('env=prod\n\n url = a=b ')).toEqual({ labels: { env: 'prod', url: 'a=b' } });
  expect(labelsOf('')).toEqual({ labels: {} });
  expect(labelsOf('env')).toEqual({ problem: "'env' is not a label: write key=value." });
  expect(labelsOf('a=1\na=2')).toEqual({ problem: "The label 'a' is there twice." });
  expect(labelsOf('__proto__=x')).toEqual({ labels: JSON.parse('{"__proto__":"x"}') as object });
});

it('a change of labels says what to set and what to take away, and nothing else', () => {
  expect(labelChange({ env: 'prod', team: 'a', old: 'x' }, { env: 'prod', team: 'b', site: 'rtm' })).toEqual({
    labels: { team: 'b', site: 'rtm' },
    removeLabels: ['old'],
  });
});

it('labels are written as they are read', () => {
  const labels = { env: 'prod', url: 'a=b' };
  expect(labelsOf(labelText(labels))).toEqual({ labels });
});

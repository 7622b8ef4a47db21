import { describe, expect, it } from 'vitest';
import { conform } from './conform.ts';

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' };

describe('reading a body as a kind', () => {
  it('names the fields that do not exist, with their place, and leaves them out', () => {
    const body = { spec: { replicas: 1, template: { spec: { containers: [{ name: 'a', imge: 'x' }] } }, size: 3 } };
    const { object, unknown } = conform(body, deployment);
    expect(unknown).toEqual(['spec.template.spec.containers[0].imge', 'spec.size']);
    expect(object).toEqual({
      ...deployment,
      spec: { replicas: 1, template: { spec: { containers: [{ name: 'a' }] } } },
    });
  });

  it('reads null as absent and a number as a quantity', () => {
    const body = { metadata: { name: 'p', creationTimestamp: null }, spec: { overhead: { cpu: 2 } } };
    const { object } = conform(body, { apiVersion: 'v1', kind: 'Pod' });
    expect(object).toMatchObject({ metadata: { name: 'p' }, spec: { overhead: { cpu: '2' } } });
  });

  it.each([
    [
      { spec: { replicas: 'three' } },
      'cannot unmarshal string into Go struct field Deployment.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 1.5 } },
      'cannot unmarshal number into Go struct field Deployment.spec.replicas of type int32',
    ],
    [
      { metadata: { labels: { on: true } } },
      'cannot unmarshal boolean into Go struct field Deployment.metadata.labels.on of type string',
    ],
    [
      { spec: { template: [] } },
      'cannot unmarshal array into Go struct field Deployment.spec.template of type v1.PodTemplateSpec',
    ],
    [
      { spec: { template: { spec: { containers: {} } } } },
      'cannot unmarshal object into Go struct field Deployment.spec.template.spec.containers of type []Container',
    ],
    [{ metadata: { creationTimestamp: 'noon' } }, 'of type v1.Time'],
    [{ apiVersion: 'v1' }, 'the API version in the data (v1) does not match the expected API version (apps/v1)'],
    [{ kind: 'Pod' }, 'the kind in the data (Pod) does not match'],
    ['text', 'must be one object'],
  ])('%j is refused: %s', (body, why) => {
    expect(() => conform(body, deployment)).toThrow(why);
  });
});

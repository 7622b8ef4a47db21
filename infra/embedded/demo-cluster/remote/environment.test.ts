import { describe, expect, it } from 'vitest';
import type { JsonObject, KubeObject } from '../objects.ts';
import { storedResource } from '../resources.ts';
import { Store } from '../store.ts';
import { environmentOf } from './environment.ts';

const metadata = { namespace: 'demo', uid: '', resourceVersion: '', creationTimestamp: '' };
const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, name: 'web-1', labels: { app: 'web' } },
  status: { podIP: '10.244.0.2' },
};

function environment(container: JsonObject): Record<string, string> {
  const store = new Store({ now: () => new Date(0), uid: () => 'uid', suffix: () => 'xxxxx' });
  const add = (kind: string, name: string, data: JsonObject): void =>
    void store.create(storedResource(kind), { apiVersion: 'v1', kind, metadata: { ...metadata, name }, data });
  add('ConfigMap', 'settings', { LEVEL: 'info', MODE: 'fast' });
  add('Secret', 'keys', { KEY: Buffer.from('s3cret').toString('base64') });
  return Object.fromEntries(environmentOf(store, pod, container));
}

describe('the environment of a container', () => {
  it('has what every container has', () => {
    expect(environment({})).toMatchObject({ HOSTNAME: 'web-1', PATH: '/bin', HOME: '/root' });
  });

  it('follows references to config maps, secrets and the pod', () => {
    const env = [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)b $(NONE)' },
      { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'LEVEL' } } },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'KEY' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
    ];
    const expected = { A: 'a', B: 'ab $(NONE)', LEVEL: 'info', KEY: 's3cret', IP: '10.244.0.2', APP: 'web' };
    expect(environment({ env })).toMatchObject(expected);
  });

  it('takes all keys of a config map or secret, which single ones override', () => {
    const envFrom = [{ configMapRef: { name: 'settings' }, prefix: 'S_' }, { secretRef: { name: 'keys' } }];
    const env = [{ name: 'S_MODE', value: 'slow' }];
    expect(environment({ envFrom, env })).toMatchObject({ S_LEVEL: 'info', S_MODE: 'slow', KEY: 's3cret' });
  });

  it('leaves out what refers to nothing', () => {
    const env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'X' } } }];
    expect(environment({ env, envFrom: [{ secretRef: { name: 'none' } }] })).not.toHaveProperty('X');
  });
});

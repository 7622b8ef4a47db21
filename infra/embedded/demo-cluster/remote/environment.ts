/**
 * The environment variables of a container, as the kubelet gathers them: `envFrom`, then `env`, from texts, config
 * maps, secrets and fields of the pod.
 */
import { isJsonObject, type JsonObject, type KubeObject, listAt, objectAt, textAt } from '../objects.ts';
import type { Store } from '../store.ts';

/** The variables a program in a container finds; what refers to nothing is left out. */
export function environmentOf(store: Store, pod: KubeObject, container: JsonObject): ReadonlyMap<string, string> {
  const values = new Map([
    ['PATH', '/bin'],
    ['HOSTNAME', pod.metadata.name],
    ['HOME', '/root'],
    ['KUBERNETES_SERVICE_HOST', '10.96.0.1'],
    ['KUBERNETES_SERVICE_PORT', '443'],
  ]);
  for (const source of listAt(container, 'envFrom').filter(isJsonObject)) {
    for (const [key, value] of Object.entries(keysOfSource(store, pod, source))) {
      values.set(`${textAt(source, 'prefix')}${key}`, value);
    }
  }
  for (const variable of listAt(container, 'env').filter(isJsonObject)) {
    const value = isJsonObject(variable['valueFrom'])
      ? referred(store, pod, variable['valueFrom'])
      : textAt(variable, 'value').replaceAll(/\$\(([^)]+)\)/g, (all, name: string) => values.get(name) ?? all);
    if (value !== undefined) values.set(textAt(variable, 'name'), value);
  }
  return values;
}

function keysOfSource(store: Store, pod: KubeObject, source: JsonObject): Record<string, string> {
  const map = textAt(source, 'configMapRef', 'name');
  return map === '' ? secretOf(store, pod, textAt(source, 'secretRef', 'name')) : configMapOf(store, pod, map);
}

function referred(store: Store, pod: KubeObject, from: JsonObject): string | undefined {
  const [map, secret] = [objectAt(from, 'configMapKeyRef'), objectAt(from, 'secretKeyRef')];
  const field = textAt(from, 'fieldRef', 'fieldPath');
  if (field !== '') return fieldOf(pod, field);
  if (map['name'] !== undefined) return configMapOf(store, pod, textAt(map, 'name'))[textAt(map, 'key')];
  return secretOf(store, pod, textAt(secret, 'name'))[textAt(secret, 'key')];
}

function fieldOf(pod: KubeObject, path: string): string | undefined {
  const [, part = '', key = ''] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  return textAt(pod, ...(part === '' ? path.split('.') : ['metadata', part, key])) || undefined;
}

function configMapOf(store: Store, pod: KubeObject, name: string): Record<string, string> {
  return textsOf(objectAt(objectNamed(store, 'ConfigMap', { pod, name }), 'data'));
}

function secretOf(store: Store, pod: KubeObject, name: string): Record<string, string> {
  const encoded = textsOf(objectAt(objectNamed(store, 'Secret', { pod, name }), 'data'));
  const decoded = Object.entries(encoded).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return Object.fromEntries(decoded) as Record<string, string>;
}

function objectNamed(store: Store, kind: string, { pod, name }: { pod: KubeObject; name: string }): unknown {
  return store.objects(kind, pod.metadata.namespace).find((object) => object.metadata.name === name);
}

function textsOf(data: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

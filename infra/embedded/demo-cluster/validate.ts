/**
 * The rules an object must keep to be stored, a small part of Kubernetes' own: names, labels, what a kind cannot do
 * without, and what may not change afterwards. All faults of an object are named at once.
 */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type KubeObject, listAt, objectAt, textAt, valueAt } from './objects.ts';
import type { Resource } from './resources.ts';
import { matchesSelector } from './selectors.ts';
import { type FieldFault, invalid } from './status.ts';

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const labelKey = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const dataKey = /^[-._a-zA-Z0-9]{1,253}$/;
/** Parts of a pod's spec that may change after it was created. */
const changeablePodFields = ['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'nodeName'];

/**
 * Checks an object about to be stored.
 * @param previous the version it replaces; undefined for a new object
 * @throws ApiError 422 naming every fault
 */
export function validate(resource: Resource, object: KubeObject, previous: KubeObject | undefined): void {
  const faults = [
    ...nameFaults(resource, object),
    ...labelFaults(object.metadata.labels, 'metadata.labels'),
    ...kindFaults(object),
    ...(previous === undefined ? [] : changeFaults(object, previous)),
  ];
  const { name } = object.metadata;
  if (faults.length > 0) throw invalid({ group: resource.group, kind: resource.kind, name }, faults);
}

function nameFaults(resource: Resource, { metadata: { name } }: KubeObject): FieldFault[] {
  if (name === '') return [required('metadata.name', 'name or generateName is required')];
  if (resource.group === 'rbac.authorization.k8s.io') {
    const bad = name === '.' || name === '..' || /[/%]/.test(name);
    return bad ? [wrong('metadata.name', name, "may not be '.' or '..' nor contain '/' or '%'")] : [];
  }
  const short = resource.kind === 'Namespace' || resource.kind === 'Service';
  if (short) {
    return dnsLabel.test(name) ? [] : [wrong('metadata.name', name, nameRule('label'))];
  }
  return name.length <= 253 && subdomain.test(name) ? [] : [wrong('metadata.name', name, nameRule('subdomain'))];
}

function nameRule(what: 'label' | 'subdomain'): string {
  const dot = what === 'label' ? "or '-'" : "'-' or '.'";
  return (
    `a lowercase RFC 1123 ${what} must consist of lower case alphanumeric characters, ${dot}, ` +
    'and must start and end with an alphanumeric character'
  );
}

function labelFaults(labels: Record<string, string> | undefined, field: string): FieldFault[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...(labelKey.test(key) ? [] : [wrong(field, key, 'a label key is a name of up to 63 letters, digits, -, _ and .')]),
    ...(labelValue.test(value) ? [] : [wrong(field, value, 'a label value has up to 63 letters, digits, -, _ and .')]),
  ]);
}

function kindFaults(object: KubeObject): FieldFault[] {
  switch (object.kind) {
    case 'Pod':
      return podFaults(object.spec, 'spec');
    case 'Deployment':
    case 'ReplicaSet':
      return workloadFaults(object);
    case 'Service':
      return serviceFaults(object);
    case 'ConfigMap':
    case 'Secret':
      return [...keysOf(object, 'data'), ...keysOf(object, 'binaryData')].flatMap((key) =>
        dataKey.test(key) ? [] : [wrong(`data[${key}]`, key, 'a key has up to 253 letters, digits, -, _ and .')],
      );
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return ['kind', 'name'].flatMap((field) =>
        textAt(object, 'roleRef', field) === '' ? [required(`roleRef.${field}`)] : [],
      );
    default:
      return [];
  }
}

function podFaults(spec: unknown, at: string): FieldFault[] {
  const containers = listAt(spec, 'containers');
  if (containers.length === 0) return [required(`${at}.containers`)];
  const names = containers.map((container) => textAt(container, 'name'));
  return containers.flatMap((container, index) => {
    const field = `${at}.containers[${index}]`;
    const name = textAt(container, 'name');
    return [
      ...(name === '' ? [required(`${field}.name`)] : []),
      ...(name === '' || dnsLabel.test(name) ? [] : [wrong(`${field}.name`, name, nameRule('label'))]),
      ...(names.indexOf(name) < index ? [wrong(`${field}.name`, name, 'another container has this name')] : []),
      ...(textAt(container, 'image') === '' ? [required(`${field}.image`)] : []),
    ];
  });
}

function workloadFaults(object: KubeObject): FieldFault[] {
  const selector = valueAt(object, 'spec', 'selector');
  const labels = objectAt(object, 'spec', 'template', 'metadata', 'labels') as Record<string, string>;
  const replicas = valueAt(object, 'spec', 'replicas');
  return [
    ...(selector === undefined ? [required('spec.selector')] : []),
    ...(selector === undefined || matchesSelector(selector, labels)
      ? []
      : [wrong('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]),
    ...(typeof replicas === 'number' && replicas < 0
      ? [wrong('spec.replicas', replicas, 'must be greater than or equal to 0')]
      : []),
    ...labelFaults(labels, 'spec.template.metadata.labels'),
    ...podFaults(valueAt(object, 'spec', 'template', 'spec'), 'spec.template.spec'),
  ];
}

function serviceFaults(object: KubeObject): FieldFault[] {
  const ports = listAt(object, 'spec', 'ports');
  const needsPorts =
    textAt(object, 'spec', 'type') !== 'ExternalName' && textAt(object, 'spec', 'clusterIP') !== 'None';
  if (needsPorts && ports.length === 0) return [required('spec.ports')];
  return ports.flatMap((port, index) => {
    const number = valueAt(port, 'port');
    const fits = typeof number === 'number' && number >= 1 && number <= 65_535;
    return fits ? [] : [wrong(`spec.ports[${index}].port`, number, 'must be between 1 and 65535, inclusive')];
  });
}

function changeFaults(object: KubeObject, previous: KubeObject): FieldFault[] {
  const fixed = (...path: string[]): FieldFault[] => {
    const [value, before] = [valueAt(object, ...path), valueAt(previous, ...path)];
    return isDeepStrictEqual(value, before) ? [] : [wrong(path.join('.'), value, 'field is immutable')];
  };
  switch (object.kind) {
    case 'Deployment':
    case 'ReplicaSet':
      return fixed('spec', 'selector');
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return fixed('roleRef');
    case 'Secret':
      return [...fixed('type'), ...(previous['immutable'] === true ? fixed('data') : [])];
    case 'ConfigMap':
      return previous['immutable'] === true ? [...fixed('data'), ...fixed('binaryData')] : [];
    case 'Pod':
      return isDeepStrictEqual(fixedPodSpec(object), fixedPodSpec(previous)) ? [] : [podChangeFault];
    default:
      return [];
  }
}

const podChangeFault: FieldFault = {
  field: 'spec',
  reason: 'FieldValueForbidden',
  message: 'Forbidden: pod updates may not change fields other than the images of its containers and tolerations',
};

function fixedPodSpec({ spec }: KubeObject): unknown {
  const kept = Object.entries(objectAt({ spec }, 'spec')).filter(([field]) => !changeablePodFields.includes(field));
  return Object.fromEntries(
    kept.map(([field, value]) => [field, field.endsWith('ontainers') ? withoutImages(value) : value]),
  );
}

function withoutImages(containers: unknown): unknown {
  if (!Array.isArray(containers)) return containers;
  return containers.map((container: unknown) => (isJsonObject(container) ? { ...container, image: '' } : container));
}

function keysOf(object: KubeObject, field: string): string[] {
  return Object.keys(objectAt(object, field));
}

function required(field: string, more = ''): FieldFault {
  return { field, reason: 'FieldValueRequired', message: more === '' ? 'Required value' : `Required value: ${more}` };
}

function wrong(field: string, value: unknown, why: string): FieldFault {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

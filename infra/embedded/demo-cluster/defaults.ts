/**
 * Fills in what a user may leave out, with the values Kubernetes fills in. kubectl compares what it sent with what
 * came back, so a missing or different default would show as a change at every `apply`.
 */
import { isJsonObject, type JsonObject, listAt, objectAt, textAt } from './objects.ts';

/** An object of a kind with its defaults set; what is given stays. */
export function withDefaults(kind: string, object: JsonObject): JsonObject {
  switch (kind) {
    case 'Pod':
      return { ...object, spec: podSpec(object['spec']) };
    case 'Deployment':
      return { ...object, spec: deploymentSpec(objectAt(object, 'spec')) };
    case 'ReplicaSet':
      return { ...object, spec: { replicas: 1, ...objectAt(object, 'spec'), template: template(object) } };
    case 'Service':
      return { ...object, spec: serviceSpec(objectAt(object, 'spec')) };
    case 'Secret':
      return secret(object);
    case 'Namespace':
      return { ...object, spec: { finalizers: ['kubernetes'], ...objectAt(object, 'spec') } };
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return binding(object);
    case 'Event':
      return { type: 'Normal', ...object };
    default:
      return object;
  }
}

function deploymentSpec(spec: JsonObject): JsonObject {
  const strategy = objectAt(spec, 'strategy');
  const type = textAt(strategy, 'type') || 'RollingUpdate';
  const rolling = { maxUnavailable: '25%', maxSurge: '25%', ...objectAt(strategy, 'rollingUpdate') };
  return {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...spec,
    strategy: type === 'RollingUpdate' ? { type, rollingUpdate: rolling } : { ...strategy, type },
    template: template({ spec }),
  };
}

function template(object: JsonObject): JsonObject {
  const given = objectAt(object, 'spec', 'template');
  const metadata = { ...objectAt(given, 'metadata') };
  return { ...given, metadata, spec: podSpec(given['spec']) };
}

function podSpec(given: unknown): JsonObject {
  const spec = isJsonObject(given) ? given : {};
  const init = listAt(spec, 'initContainers');
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...spec,
    ...(init.length === 0 ? {} : { initContainers: init.map(container) }),
    containers: listAt(spec, 'containers').map(container),
  };
}

function container(given: unknown): JsonObject {
  const value = isJsonObject(given) ? given : {};
  const image = textAt(value, 'image');
  const floating = image.endsWith(':latest') || !/[:@][^/]*$/.test(image);
  const ports = listAt(value, 'ports').filter(isJsonObject);
  return {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: floating ? 'Always' : 'IfNotPresent',
    ...value,
    ...(ports.length === 0 ? {} : { ports: ports.map((port) => ({ protocol: 'TCP', ...port })) }),
  };
}

function serviceSpec(spec: JsonObject): JsonObject {
  const ports = listAt(spec, 'ports').filter(isJsonObject);
  const filled = ports.map((port) => ({ protocol: 'TCP', targetPort: port['port'], ...port }));
  const policy = { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
  return {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ...(spec['type'] === 'ExternalName' ? {} : policy),
    ...spec,
    ...(ports.length === 0 ? {} : { ports: filled }),
  };
}

/** `stringData` is for writing only: its texts join `data` in base64. */
function secret(object: JsonObject): JsonObject {
  const { stringData, ...rest } = object;
  if (!isJsonObject(stringData)) return { type: 'Opaque', ...rest };
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')]);
  return { type: 'Opaque', ...rest, data: { ...objectAt(rest, 'data'), ...Object.fromEntries(encoded) } };
}

function binding(object: JsonObject): JsonObject {
  const group = 'rbac.authorization.k8s.io';
  const subjects = listAt(object, 'subjects').filter(isJsonObject);
  return {
    ...object,
    subjects: subjects.map((subject) => ({
      ...(subject['kind'] === 'ServiceAccount' ? {} : { apiGroup: group }),
      ...subject,
    })),
    roleRef: { apiGroup: group, ...objectAt(object, 'roleRef') },
  };
}

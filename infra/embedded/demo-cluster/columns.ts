/**
 * What `kubectl get` shows of each kind: the columns and how a cell is read from an object. Kubernetes prints on the
 * server, so these are the headings people know.
 */
import { ageOf } from './age.ts';
import { isJsonObject, type KubeObject, listAt, numberAt, objectAt, textAt, valueAt } from './objects.ts';

/** One column; `wide` ones show with `-o wide` only. */
interface Column {
  name: string;
  type: 'string' | 'integer';
  format?: 'name';
  wide?: true;
  cell: (object: KubeObject, now: Date) => string | number;
}

const name: Column = { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name };
const age: Column = {
  name: 'Age',
  type: 'string',
  cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
};
const createdAt: Column = { name: 'Created At', type: 'string', cell: ({ metadata }) => metadata.creationTimestamp };

const workloadWide: Column[] = [
  wide('Containers', (object) =>
    containers(object)
      .map((container) => textAt(container, 'name'))
      .join(','),
  ),
  wide('Images', (object) =>
    containers(object)
      .map((container) => textAt(container, 'image'))
      .join(','),
  ),
  wide('Selector', (object) => labelText(objectAt(object, 'spec', 'selector', 'matchLabels'))),
];

const bindingColumns: Column[] = [
  name,
  text('Role', (object) => `${textAt(object, 'roleRef', 'kind')}/${textAt(object, 'roleRef', 'name')}`),
  age,
  wide('Users', (object) => subjects(object, 'User')),
  wide('Groups', (object) => subjects(object, 'Group')),
  wide('ServiceAccounts', (object) => subjects(object, 'ServiceAccount')),
];

const columns: Record<string, Column[]> = {
  ConfigMap: [name, count('Data', (object) => size(object, 'data') + size(object, 'binaryData')), age],
  Secret: [
    name,
    text('Type', (object) => textAt(object, 'type')),
    count('Data', (object) => size(object, 'data')),
    age,
  ],
  ServiceAccount: [name, count('Secrets', (object) => listAt(object, 'secrets').length), age],
  Namespace: [name, text('Status', (object) => textAt(object, 'status', 'phase')), age],
  Node: [
    name,
    text('Status', nodeStatus),
    text('Roles', nodeRoles),
    age,
    text('Version', (object) => textAt(object, 'status', 'nodeInfo', 'kubeletVersion')),
    wide('Internal-IP', (object) => textAt(listAt(object, 'status', 'addresses')[0], 'address')),
    wide('OS-Image', (object) => textAt(object, 'status', 'nodeInfo', 'osImage')),
    wide('Container-Runtime', (object) => textAt(object, 'status', 'nodeInfo', 'containerRuntimeVersion')),
  ],
  Pod: [
    name,
    text('Ready', (object) => `${readyContainers(object)}/${listAt(object, 'spec', 'containers').length}`),
    text('Status', podStatus),
    text('Restarts', (object) => String(restarts(object))),
    age,
    wide('IP', (object) => textAt(object, 'status', 'podIP') || '<none>'),
    wide('Node', (object) => textAt(object, 'spec', 'nodeName') || '<none>'),
    wide('Nominated Node', () => '<none>'),
    wide('Readiness Gates', () => '<none>'),
  ],
  Service: [
    name,
    text('Type', (object) => textAt(object, 'spec', 'type')),
    text('Cluster-IP', (object) => textAt(object, 'spec', 'clusterIP') || '<none>'),
    text('External-IP', (object) => textAt(object, 'spec', 'externalName') || '<none>'),
    text('Port(s)', servicePorts),
    age,
    wide('Selector', (object) => labelText(objectAt(object, 'spec', 'selector'))),
  ],
  Deployment: [
    name,
    text('Ready', (object) => `${numberAt(object, 'status', 'readyReplicas')}/${numberAt(object, 'spec', 'replicas')}`),
    count('Up-to-date', (object) => numberAt(object, 'status', 'updatedReplicas')),
    count('Available', (object) => numberAt(object, 'status', 'availableReplicas')),
    age,
    ...workloadWide,
  ],
  ReplicaSet: [
    name,
    count('Desired', (object) => numberAt(object, 'spec', 'replicas')),
    count('Current', (object) => numberAt(object, 'status', 'replicas')),
    count('Ready', (object) => numberAt(object, 'status', 'readyReplicas')),
    age,
    ...workloadWide,
  ],
  Event: [
    text('Last Seen', (object, now) => ageOf(textAt(object, 'lastTimestamp'), now)),
    text('Type', (object) => textAt(object, 'type')),
    text('Reason', (object) => textAt(object, 'reason')),
    text('Object', (object) => {
      const { kind, name: involved } = objectAt(object, 'involvedObject');
      return `${String(kind).toLowerCase()}/${String(involved)}`;
    }),
    text('Message', (object) => textAt(object, 'message')),
    { ...name, wide: true },
  ],
  ClusterRole: [name, createdAt],
  Role: [name, createdAt],
  ClusterRoleBinding: bindingColumns,
  RoleBinding: bindingColumns,
};

/** The columns of a kind. */
export function columnsOf(kind: string): readonly Column[] {
  return columns[kind] ?? [name, age];
}

function text(heading: string, cell: Column['cell']): Column {
  return { name: heading, type: 'string', cell };
}

function count(heading: string, cell: Column['cell']): Column {
  return { name: heading, type: 'integer', cell };
}

function wide(heading: string, cell: Column['cell']): Column {
  return { name: heading, type: 'string', wide: true, cell };
}

function size(object: KubeObject, field: string): number {
  return Object.keys(objectAt(object, field)).length;
}

function containers(object: KubeObject): unknown[] {
  return listAt(object, 'spec', 'template', 'spec', 'containers');
}

function labelText(labels: object): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return pairs.length === 0 ? '<none>' : pairs.join(',');
}

function subjects(object: KubeObject, kind: string): string {
  const found = listAt(object, 'subjects').filter((subject) => textAt(subject, 'kind') === kind);
  const names = found.map((subject) =>
    [textAt(subject, 'namespace'), textAt(subject, 'name')].filter(Boolean).join('/'),
  );
  return names.join(', ');
}

function statuses(object: KubeObject): unknown[] {
  return listAt(object, 'status', 'containerStatuses');
}

function readyContainers(object: KubeObject): number {
  return statuses(object).filter((status) => valueAt(status, 'ready') === true).length;
}

function restarts(object: KubeObject): number {
  return statuses(object).reduce<number>((sum, status) => sum + numberAt(status, 'restartCount'), 0);
}

function podStatus(object: KubeObject): string {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const waiting = statuses(object).map((status) => textAt(status, 'state', 'waiting', 'reason'));
  return waiting.find((reason) => reason !== '') ?? textAt(object, 'status', 'phase');
}

function nodeStatus(object: KubeObject): string {
  const conditions = listAt(object, 'status', 'conditions');
  const ready = conditions.find((condition) => textAt(condition, 'type') === 'Ready');
  const status = textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return valueAt(object, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
}

function nodeRoles(object: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const labels = Object.keys(object.metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return labels.map((label) => label.slice(prefix.length)).join(',') || '<none>';
}

function servicePorts(object: KubeObject): string {
  const ports = listAt(object, 'spec', 'ports').filter(isJsonObject);
  const shown = ports.map((port) => {
    const node = numberAt(port, 'nodePort');
    return `${numberAt(port, 'port')}${node === 0 ? '' : `:${node}`}/${textAt(port, 'protocol')}`;
  });
  return shown.join(',') || '<none>';
}

/**
 * What is in the demo cluster when it starts: the roles and bindings Kubernetes comes with, the agent's identity, one
 * node, and a small application to look at.
 *
 * What belongs to the cluster is put back at every start; the demo application only into a new cluster, so that it
 * stays deleted when somebody deleted it.
 */
import { agentNamespace, agentServiceAccount, gitVersion, mastersGroup, viewersGroup } from './identity.ts';
import { type JsonObject, type KubeObject, timestamp, type World } from './objects.ts';
import { storedResource } from './resources.ts';
import { withDefaults } from './defaults.ts';
import type { Store } from './store.ts';

const readVerbs = ['get', 'list', 'watch'];
const writeVerbs = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const rbacGroup = 'rbac.authorization.k8s.io';
const nodeName = 'standin-node';

/** The objects that every start needs. */
export function seedSystem(store: Store, world: World): void {
  for (const name of ['default', 'kube-system', agentNamespace])
    put(store, 'Namespace', { name, status: { phase: 'Active' } });
  put(store, 'ServiceAccount', { name: agentServiceAccount, namespace: agentNamespace });
  for (const [name, rules] of Object.entries(clusterRoles)) put(store, 'ClusterRole', { name, rules });
  for (const [name, role, subject] of bindings) {
    put(store, 'ClusterRoleBinding', {
      name,
      roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: role },
      subjects: [subject],
    });
  }
  put(store, 'Node', node(world));
  put(store, 'Service', {
    name: 'kubernetes',
    namespace: 'default',
    spec: {
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      ports: [{ name: 'https', port: 443, targetPort: 6443 }],
    },
    status: { loadBalancer: {} },
  });
}

/** The demo application. */
export function seedDemo(store: Store): void {
  const labels = { app: 'web' };
  put(store, 'Namespace', { name: 'demo', status: { phase: 'Active' } });
  put(store, 'ConfigMap', {
    name: 'web-config',
    namespace: 'demo',
    data: { 'greeting.txt': 'Hello from the Clustral demo cluster.\n', LOG_LEVEL: 'info' },
  });
  put(store, 'Deployment', {
    name: 'web',
    namespace: 'demo',
    labels,
    generation: 1,
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'shop/web:1.4.2',
              ports: [{ name: 'http', containerPort: 8080 }],
              env: [{ name: 'LOG_LEVEL', valueFrom: { configMapKeyRef: { name: 'web-config', key: 'LOG_LEVEL' } } }],
              resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
            },
          ],
        },
      },
    },
    status: {},
  });
  put(store, 'Service', {
    name: 'web',
    namespace: 'demo',
    labels,
    spec: {
      clusterIP: '10.96.0.80',
      clusterIPs: ['10.96.0.80'],
      selector: labels,
      ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    },
    status: { loadBalancer: {} },
  });
}

const viewable = [
  'configmaps',
  'events',
  'namespaces',
  'pods',
  'pods/log',
  'pods/status',
  'serviceaccounts',
  'services',
];
const viewableApps = [
  'deployments',
  'deployments/scale',
  'deployments/status',
  'replicasets',
  'replicasets/scale',
  'replicasets/status',
];
const viewRules = [allow(readVerbs, '', viewable), allow(readVerbs, 'apps', viewableApps)];
const editable = [
  'configmaps',
  'pods',
  'pods/attach',
  'pods/exec',
  'pods/portforward',
  'secrets',
  'serviceaccounts',
  'services',
];
const editRules = [
  ...viewRules,
  allow([...readVerbs, ...writeVerbs], '', editable),
  allow([...readVerbs, ...writeVerbs], 'apps', viewableApps),
];
const discoveryPaths = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', '/version', '/version/'];
const healthPaths = ['/healthz', '/healthz/*', '/livez', '/livez/*', '/readyz', '/readyz/*'];

const clusterRoles: Record<string, JsonObject[]> = {
  'cluster-admin': [allow(['*'], '*', ['*']), { verbs: ['*'], nonResourceURLs: ['*'] }],
  admin: [...editRules, allow([...readVerbs, ...writeVerbs], rbacGroup, ['roles', 'rolebindings'])],
  edit: editRules,
  view: viewRules,
  'system:discovery': [{ verbs: ['get'], nonResourceURLs: [...discoveryPaths, ...healthPaths] }],
  'system:basic-user': [
    allow(['create'], 'authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']),
    allow(['create'], 'authentication.k8s.io', ['selfsubjectreviews']),
  ],
  [agentServiceAccount]: [allow(['impersonate'], '', ['users', 'groups'])],
};

const everybody = { apiGroup: rbacGroup, kind: 'Group', name: 'system:authenticated' };
const bindings: [name: string, role: string, subject: JsonObject][] = [
  ['cluster-admin', 'cluster-admin', { apiGroup: rbacGroup, kind: 'Group', name: mastersGroup }],
  ['system:discovery', 'system:discovery', everybody],
  ['system:basic-user', 'system:basic-user', everybody],
  [viewersGroup, 'view', { apiGroup: rbacGroup, kind: 'Group', name: viewersGroup }],
  [
    agentServiceAccount,
    agentServiceAccount,
    { kind: 'ServiceAccount', name: agentServiceAccount, namespace: agentNamespace },
  ],
];

function allow(verbs: readonly string[], apiGroup: string, resources: readonly string[]): JsonObject {
  return { verbs, apiGroups: [apiGroup], resources };
}

function node(world: World): JsonObject & { name: string } {
  const now = timestamp(world.now());
  const room = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi' };
  const good = { lastHeartbeatTime: now, lastTransitionTime: now };
  return {
    name: nodeName,
    labels: {
      'kubernetes.io/hostname': nodeName,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'node-role.kubernetes.io/control-plane': '',
    },
    spec: { podCIDR: '10.244.0.0/16', podCIDRs: ['10.244.0.0/16'] },
    status: {
      capacity: room,
      allocatable: room,
      addresses: [
        { type: 'InternalIP', address: '192.0.2.10' },
        { type: 'Hostname', address: nodeName },
      ],
      conditions: [
        {
          type: 'MemoryPressure',
          status: 'False',
          reason: 'KubeletHasSufficientMemory',
          message: 'nothing runs here',
          ...good,
        },
        { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the stand-in is ready', ...good },
      ],
      nodeInfo: {
        machineID: '',
        systemUUID: '',
        bootID: '',
        kernelVersion: 'stand-in',
        osImage: 'Clustral demo cluster',
        containerRuntimeVersion: 'standin://1.0',
        kubeletVersion: gitVersion,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  };
}

/** Stores an object unless one of its name is there. */
function put(
  store: Store,
  kind: string,
  { name, namespace, labels, generation, ...content }: JsonObject & { name: string; namespace?: string },
): void {
  const resource = storedResource(kind);
  if (store.get({ resource, name, namespace }) !== undefined) return;
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  const allLabels = kind === 'Namespace' ? { 'kubernetes.io/metadata.name': name } : labels;
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(allLabels === undefined ? {} : { labels: allLabels }),
    ...(generation === undefined ? {} : { generation }),
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
  };
  store.create(resource, { ...withDefaults(kind, content), apiVersion, kind, metadata } as KubeObject);
}

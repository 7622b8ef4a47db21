/**
 * Protobuf bodies as kubectl 1.35 sent them, byte for byte, and what they say. For tests only.
 */
export interface RecordedBody {
  command: string;
  path: string;
  body: Buffer;
  says: object;
}

/** One body per command that sends protobuf. */
export const recordedBodies: readonly RecordedBody[] = [
  {
    command: 'create namespace rec',
    path: '/api/v1/namespaces',
    body: recorded('azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhsKEwoDcmVjEgAaACIAKgAyADgAQgASABoCCgAaACIA'),
    says: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'rec' } },
  },
  {
    command: 'create configmap c --from-literal=a=b',
    path: '/api/v1/namespaces/rec/configmaps',
    body: recorded('azhzAAoPCgJ2MRIJQ29uZmlnTWFwEh4KFAoBYxIAGgNyZWMiACoAMgA4AEIAEgYKAWESAWIaACIA'),
    says: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'rec' }, data: { a: 'b' } },
  },
  {
    command: 'create secret generic s --from-literal=p=q',
    path: '/api/v1/namespaces/rec/secrets',
    body: recorded('azhzAAoMCgJ2MRIGU2VjcmV0EiAKFAoBcxIAGgNyZWMiACoAMgA4AEIAEgYKAXASAXEaABoAIgA='),
    says: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'rec' }, data: { p: 'cQ==' } },
  },
  {
    command: 'create deployment d --image=nginx --replicas=2 --port=80',
    path: '/apis/apps/v1/namespaces/rec/deployments',
    body: recorded(
      'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErMBCh4KAWQSABoDcmVjIgAqADIAOABCAFoICgNhcHASAWQSggEIAhIKCggKA2FwcBIBZBpq' +
        'ChoKABIAGgAiACoAMgA4AEIAWggKA2FwcBIBZBJMEi4KBW5naW54EgVuZ2lueCoAMgoKABAAGFAiACoAQgBqAHIAgAEAiAEAkAEAogEA' +
        'GgAyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBACICCgAoADgAGgwIABAAGAAgACgAOAAaACIA',
    ),
    says: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'rec', labels: { app: 'd' } },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'd' } },
        template: {
          metadata: { labels: { app: 'd' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] }] },
        },
      },
    },
  },
  {
    command: 'create service clusterip s --tcp=80:8080',
    path: '/api/v1/namespaces/rec/services',
    body: recorded(
      'azhzAAoNCgJ2MRIHU2VydmljZRJmCh4KAXMSABoDcmVjIgAqADIAOABCAFoICgNhcHASAXMSQAobCgc4MC04MDgwEgNUQ1AYUCIHCAAQkD8a' +
        'ACgAEggKA2FwcBIBcxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==',
    ),
    says: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', namespace: 'rec', labels: { app: 's' } },
      spec: {
        type: 'ClusterIP',
        selector: { app: 's' },
        ports: [{ name: '80-8080', protocol: 'TCP', port: 80, targetPort: 8080 }],
      },
    },
  },
  {
    command: 'auth can-i create pods',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: recorded(
      'azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPAoQCgASABoAIgAqADIAOABCABIeChwK' +
        'BGRlbW8SBmNyZWF0ZRoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=',
    ),
    says: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace: 'demo', verb: 'create', resource: 'pods' } },
    },
  },
  {
    command: 'auth whoami',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: recorded(
      'azhzAAotChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESEVNlbGZTdWJqZWN0UmV2aWV3EhoKEAoAEgAaACIAKgAyADgAQgASBgoECgASABoAIgA=',
    ),
    says: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  },
];

function recorded(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

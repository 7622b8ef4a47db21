/**
 * The cluster addresses and node ports that services are given. Nothing listens on them; they are there so that
 * `kubectl get services` shows what people expect.
 */
import { isJsonObject, type KubeObject, listAt, numberAt, objectAt, textAt } from './objects.ts';
import type { Store } from './store.ts';

const firstNodePort = 30_000;
const lastNodePort = 32_767;

/** A service with its address and node ports; other kinds unchanged. Addresses once given stay. */
export function withAddress(object: KubeObject, store: Store, previous?: KubeObject): KubeObject {
  if (object.kind !== 'Service' || textAt(object, 'spec', 'type') === 'ExternalName') return object;
  const spec = objectAt(object, 'spec');
  const services = store.objects('Service');
  const clusterIP = textAt(spec, 'clusterIP') || textAt(previous, 'spec', 'clusterIP') || freeAddress(services);
  const hasNodePorts = ['NodePort', 'LoadBalancer'].includes(textAt(spec, 'type'));
  const ports = listAt(spec, 'ports').filter(isJsonObject);
  const before = listAt(previous, 'spec', 'ports');
  const used = new Set(
    services.flatMap((service) => listAt(service, 'spec', 'ports').map((port) => numberAt(port, 'nodePort'))),
  );
  const withPorts = ports.map((port) => {
    if (!hasNodePorts || numberAt(port, 'nodePort') !== 0) return port;
    const kept = before.find((candidate) => numberAt(candidate, 'port') === numberAt(port, 'port'));
    const nodePort = numberAt(kept, 'nodePort') || freePort(used);
    used.add(nodePort);
    return { ...port, nodePort };
  });
  return {
    ...object,
    spec: { ...spec, clusterIP, clusterIPs: [clusterIP], ...(ports.length === 0 ? {} : { ports: withPorts }) },
  };
}

function freeAddress(services: readonly KubeObject[]): string {
  const used = new Set(services.map((service) => textAt(service, 'spec', 'clusterIP')));
  // .1 is the API server's own.
  for (let number = 2; number < 65_535; number += 1) {
    const address = `10.96.${number >> 8}.${number & 255}`;
    if (!used.has(address)) return address;
  }
  throw new Error('the demo cluster ran out of service addresses');
}

function freePort(used: ReadonlySet<number>): number {
  for (let port = firstNodePort; port <= lastNodePort; port += 1) {
    if (!used.has(port)) return port;
  }
  throw new Error('the demo cluster ran out of node ports');
}

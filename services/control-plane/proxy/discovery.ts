/**
 * What a person without a role on a cluster is told when kubectl asks which resources there are: Kubernetes' built-in ones,
 * from one fixed list (D20). So the denial that follows is printed once and not once per group. Nothing is asked of the
 * cluster, nothing depends on it, and every other address is denied from the first call on.
 */
import { builtInResources } from './discovery-resources.ts';

const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/**
 * The JSON text for a GET of one of the fixed addresses, always in discovery's older form, whatever `Accept` says.
 * Undefined for all else.
 * @param target the target for the API server, as sent
 */
export function builtInDiscovery(method: string, target: string): string | undefined {
  if (method !== 'GET') return undefined;
  const [path = ''] = target.split('?');
  return answers.get(path);
}

function documents(): Record<string, object> {
  const found: Record<string, object> = {
    '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() },
    // Of no cluster in particular, and it says so.
    '/version': {
      major: '1',
      minor: '0',
      gitVersion: 'v1.0.0-clustral.no-role',
      gitCommit: '',
      gitTreeState: '',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: '',
      compiler: '',
      platform: '',
    },
  };
  for (const [groupVersion, lines] of Object.entries(builtInResources)) {
    const address = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
    const resources = lines
      .trim()
      .split('\n')
      .map((line) => resource(line.trim()));
    found[address] = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
  }
  return found;
}

function groups(): object[] {
  const versions = new Map<string, { groupVersion: string; version: string }[]>();
  for (const groupVersion of Object.keys(builtInResources)) {
    const [group = '', version] = groupVersion.split('/');
    if (version === undefined) continue;
    versions.set(group, [...(versions.get(group) ?? []), { groupVersion, version }]);
  }
  return [...versions].map(([name, listed]) => ({ name, versions: listed, preferredVersion: listed[0] }));
}

function resource(line: string): object {
  const [, marks = '', names = '', kind = '', category] = /^([*!]*)(\S+) (\S+)(?: \+(\S+))?$/.exec(line) ?? [];
  const [name, ...shortNames] = names.split(',');
  return {
    name,
    singularName: kind.toLowerCase(),
    namespaced: !marks.includes('*'),
    kind,
    verbs: marks.includes('!') ? ['create'] : storedVerbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(category === undefined ? {} : { categories: [category] }),
  };
}

const answers: ReadonlyMap<string, string> = new Map(
  Object.entries(documents()).map(([address, json]) => [address, JSON.stringify(json)]),
);

/**
 * For each method of the admin API a request that would succeed for whoever may make it, on things that were made for it: the one place
 * where tests that walk the whole table of methods learn what to send.
 */
import type { AdminApi, Somebody } from './admin-api.ts';
import { somebody } from './admin-api.ts';

/** Fields of a request by their JSON names. */
export type Fields = Readonly<Record<string, unknown>>;

/** Makes what a request needs; `owner` is whose it is, where it is anybody's. */
type Recipe = (things: Things, owner: Somebody) => Fields | Promise<Fields>;

/** The admin API lets a person call a hundred times at once (D3). */
const callsAtOnce = 60;

export class Things {
  readonly #api: AdminApi;
  #names = 0;
  #admin = somebody('clustral-admin');
  #calls = 0;
  readonly #shared = new Map<string, Promise<string>>();

  constructor(api: AdminApi) {
    this.#api = api;
  }

  /** A name that nothing has yet. */
  name(): string {
    return `thing-${(this.#names += 1)}`;
  }

  /** Done by an administrator, each for as many calls as nobody is limited for. */
  async made(line: string, body?: object): Promise<Fields> {
    if ((this.#calls += 1) % callsAtOnce === 0) this.#admin = somebody('clustral-admin');
    return this.#api.done(this.#admin, line, body);
  }

  async by(who: Somebody, line: string, body?: object): Promise<Fields> {
    return this.#api.done(who, line, body);
  }

  async cluster(): Promise<string> {
    return String((await this.made('POST /api/v1/clusters', { name: this.name() }))['clusterId']);
  }

  async role(): Promise<string> {
    return String((await this.made('POST /api/v1/roles', { name: this.name(), k8sGroups: ['g'] }))['id']);
  }

  /** One that every request may be for: what hangs on it is its owner's. */
  aCluster(): Promise<string> {
    return this.#one('cluster', () => this.cluster());
  }

  aRole(): Promise<string> {
    return this.#one('role', () => this.role());
  }

  #one(kind: string, make: () => Promise<string>): Promise<string> {
    const made = this.#shared.get(kind) ?? make();
    this.#shared.set(kind, made);
    return made;
  }

  async idOf(who: Somebody): Promise<string> {
    const { user } = await this.by(who, 'GET /api/v1/users/me');
    return String((user as Fields)['id']);
  }

  async pending(owner: Somebody): Promise<string> {
    const body = { clusterId: await this.aCluster(), roleId: await this.aRole(), reason: 'an incident' };
    return String((await this.by(owner, 'POST /api/v1/access-requests', body))['id']);
  }

  async granted(owner: Somebody): Promise<string> {
    const id = await this.pending(owner);
    await this.made(`POST /api/v1/access-requests/${id}/approve`, {});
    return id;
  }

  async credential(owner: Somebody): Promise<Fields> {
    return this.by(owner, 'POST /api/v1/auth/kubeconfig-credential', { clusterId: await this.aCluster() });
  }
}

const role = (things: Things): Fields => ({ name: things.name(), k8sGroups: ['g'] });

/** By the method's local name. A method that is not here fails every test that walks the table. */
export const recipes: Readonly<Record<string, Recipe>> = {
  registerCluster: (things) => ({ name: things.name() }),
  listClusters: () => ({}),
  getCluster: async (things) => ({ id: await things.aCluster() }),
  updateCluster: async (things) => ({ id: await things.aCluster(), description: things.name() }),
  deleteCluster: async (things) => ({ id: await things.cluster() }),
  revokeAgent: async (things) => ({ id: await things.aCluster() }),
  issueBootstrapToken: async (things) => ({ id: await things.aCluster() }),
  createRole: role,
  listRoles: () => ({}),
  updateRole: async (things) => ({ id: await things.role(), ...role(things) }),
  deleteRole: async (things) => ({ id: await things.role() }),
  getMe: () => ({}),
  listUsers: () => ({}),
  listAssignments: async (things, owner) => ({ userId: await things.idOf(owner) }),
  assignRole: async (things, owner) => ({
    userId: await things.idOf(owner),
    clusterId: await things.aCluster(),
    roleId: await things.aRole(),
  }),
  async unassignRole(things, owner) {
    const userId = await things.idOf(owner);
    const body = { clusterId: await things.aCluster(), roleId: await things.aRole() };
    const { id } = await things.made(`POST /api/v1/users/${userId}/assignments`, body);
    return { userId, assignmentId: id };
  },
  disableUser: async (things) => ({ userId: await things.idOf(somebody()) }),
  enableUser: async (things) => ({ userId: await things.idOf(somebody()) }),
  requestAccess: async (things) => ({ clusterId: await things.cluster(), roleId: await things.aRole(), reason: 'why' }),
  listAccessRequests: () => ({}),
  getAccessRequest: async (things, owner) => ({ id: await things.pending(owner) }),
  approveAccessRequest: async (things, owner) => ({ id: await things.pending(owner) }),
  denyAccessRequest: async (things, owner) => ({ id: await things.pending(owner) }),
  revokeAccessRequest: async (things, owner) => ({ id: await things.granted(owner) }),
  withdrawAccessRequest: async (things, owner) => ({ id: await things.pending(owner) }),
  issueCredential: async (things) => ({ clusterId: await things.aCluster() }),
  revokeCredential: async (things, owner) => ({ id: (await things.credential(owner))['credentialId'] }),
  revokeByToken: async (things, owner) => ({ token: (await things.credential(owner))['token'] }),
  listCredentials: () => ({}),
  getVersion: () => ({}),
  getOpenApi: () => ({}),
  listAuditEvents: () => ({}),
  async getAuditEvent(things) {
    await things.aCluster();
    const { events } = await things.made('GET /api/v1/audit?pageSize=1');
    return { uid: (events as readonly Fields[])[0]?.['uid'] };
  },
};

/** The REST request that carries the fields: in its path, its query and its body. */
export function restRequest(
  { verb, path }: { readonly verb: string; readonly path: string },
  fields: Fields,
): { readonly method: string; readonly path: string; readonly body?: string } {
  const inPath = new Set([...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name));
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(typeof fields[name] === 'string' ? fields[name] : ''),
  );
  const rest = Object.entries(fields).filter(([name]) => !inPath.has(name));
  if (verb !== 'GET' && verb !== 'DELETE')
    return { method: verb, path: filled, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams(rest.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return { method: verb, path: query === '' ? filled : `${filled}?${query}` };
}

import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { adminServices, routesOf, streamsOf, type CallerRule, type Route } from '@clustral/schemas/services.ts';
import { agentAudience, controlPlaneIssuer } from '@clustral/schemas/tokens.ts';
import { somebody, startAdminApi, type AdminApi, type ApiAnswer, type Ask, type Somebody } from './parts/admin-api.ts';
import { recipes, restRequest, Things, type Fields } from './parts/api-things.ts';

let api: AdminApi;
let things: Things;
let kubeconfigToken: string;
let agentToken: string;

beforeAll(async () => {
  api = await startAdminApi();
  things = new Things(api);
  kubeconfigToken = String((await things.credential(somebody()))['token']);
  const privateKey = createPrivateKey(api.agentKeyPem);
  const pem = (key: ReturnType<typeof createPublicKey>): string =>
    key.export({ type: 'spki', format: 'pem' }).toString();
  const signer = await createSigner({
    algorithm: 'RS256',
    issuer: controlPlaneIssuer,
    audience: agentAudience,
    privateKeyPem: api.agentKeyPem,
    publicKeyPem: pem(createPublicKey(privateKey)),
  });
  const iat = Math.floor(Date.now() / 1000);
  agentToken = await signer.sign({ kind: 'agent', sub: randomUUID(), token_version: 1, iat, exp: iat + 600 });
});
afterAll(() => api.stop());

const routes = routesOf(adminServices);

/** The columns of the matrix. The owner, and an owner who is an administrator, are whose the thing is. */
const callers = [
  'nobody',
  'user',
  'owner',
  'owning admin',
  'admin',
  'auditor',
  'kubeconfig',
  'agent',
  'session',
] as const;
type Caller = (typeof callers)[number];

const isPerson = (caller: Caller): boolean => !['nobody', 'kubeconfig', 'agent', 'session'].includes(caller);
const owns = (caller: Caller): boolean => caller === 'owner' || caller === 'owning admin';

/** What the rule of a method means in each column: let in, or the statuses that may say no. */
function expected(
  { callers: rule, command, path }: Pick<Route, 'callers' | 'command' | 'path'>,
  caller: Caller,
): 'in' | readonly number[] {
  if (rule === 'anyone') return 'in';
  if (!isPerson(caller)) return [401];
  const isAdmin = caller === 'admin' || caller === 'owning admin';
  switch (rule) {
    case 'person':
      return 'in';
    case 'acting':
      return caller === 'auditor' ? [403] : 'in';
    case 'reader':
      return isAdmin || caller === 'auditor' ? 'in' : [403];
    case 'admin':
      return isAdmin ? 'in' : [403];
    case 'reviewer':
      return caller === 'admin' ? 'in' : [403];
    case 'requester':
      return owns(caller) ? 'in' : [403, 404];
    case 'owner':
      if (isAdmin || owns(caller) || (caller === 'auditor' && !command)) return 'in';
      // A list shows whoever asks what is theirs.
      return !command && !path.includes('{') ? 'in' : [403, 404];
    default:
      return rule satisfies never;
  }
}

const rolesOf: Partial<Record<Caller, readonly string[]>> = {
  'owning admin': ['clustral-admin'],
  admin: ['clustral-admin'],
  auditor: ['clustral-auditor'],
};

/** Headers that the caller comes with, and whose the things of the request are to be. */
async function arrive(caller: Caller): Promise<{ readonly headers: Record<string, string>; readonly owner: Somebody }> {
  const who = somebody(...(rolesOf[caller] ?? []));
  const owner = owns(caller) ? who : somebody();
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, owner });
  switch (caller) {
    case 'nobody':
      return { headers: {}, owner };
    case 'session':
      return { headers: { cookie: '__Host-clustral=somebody' }, owner };
    case 'kubeconfig':
      return bearer(kubeconfigToken);
    case 'agent':
      return bearer(agentToken);
    default:
      return bearer(await api.token(who));
  }
}

async function fieldsFor(route: Route, caller: Caller, owner: Somebody): Promise<Fields> {
  const recipe = recipes[route.method.localName];
  if (!recipe) throw new Error(`there is no recipe for ${route.method.name}`);
  // Whoever is nobody gets nowhere near a thing.
  if (isPerson(caller) || route.callers === 'anyone') return recipe(things, owner);
  return Object.fromEntries([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, randomUUID()]));
}

const connectRequest = ({ service, method }: Route, fields: Fields): Ask => ({
  method: 'POST',
  path: `/${service.typeName}/${method.name}`,
  body: JSON.stringify(fields),
});

function check(
  answer: ApiAnswer,
  route: Route,
  { caller, success }: { readonly caller: Caller; readonly success: number },
): void {
  const wanted = expected(route, caller);
  const said = `${answer.status} ${JSON.stringify(answer.json).slice(0, 300)}`;
  if (wanted === 'in') expect(answer.status, said).toBe(success);
  else expect(wanted, said).toContain(answer.status);
}

describe.each(routes.map((route) => ({ line: `${route.verb} ${route.path}`, route })))('2.6 $line', ({ route }) => {
  it.each(callers)('answers %s by its rule, over REST and over Connect', async (caller) => {
    for (const face of ['rest', 'connect'] as const) {
      const { headers, owner } = await arrive(caller);
      const fields = await fieldsFor(route, caller, owner);
      const asked = face === 'rest' ? restRequest(route, fields) : connectRequest(route, fields);
      const answer = await api.ask({
        ...asked,
        headers: {
          ...headers,
          'x-clustral-position': api.position(),
          ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
      });
      check(answer, route, { caller, success: face === 'rest' ? route.status : 200 });
    }
  });

  it.each(['nobody', 'user'] as const)('lets %s in under no other spelling that its own does not', async (caller) => {
    const { headers } = await arrive(caller);
    const isClosed = expected(route, caller) !== 'in';
    for (const { method, path } of [restRequest(route, randomIds(route)), connectRequest(route, {})]) {
      for (const spelled of spellings(path)) {
        const body = takesBody(method)
          ? { body: '{}', headers: { ...headers, 'content-type': 'application/json' } }
          : {};
        const { status } = await api.ask({ method, path: spelled, headers, ...body });
        const said = `${method} ${spelled} answered ${status}`;
        if (caller === 'nobody') expect([400, 401], said).toContain(status);
        else if (isClosed) expect([400, 403, 404, 405, 422], said).toContain(status);
        else expect(status, said).toBeLessThan(500);
      }
    }
  });

  it('answers 405 to every other method, with those that it has', async () => {
    const { path } = restRequest(route, randomIds(route));
    const known = routes.filter((other) => other.path === route.path).map(({ verb }) => verb as string);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !known.includes(one))) {
      const { headers } = await arrive('admin');
      const answer = await api.ask({ method, path: path.split('?')[0] ?? '', headers });
      expect(answer.status, method).toBe(405);
      expect(String(answer.headers['allow']).split(', ').toSorted()).toEqual(known.toSorted());
    }
  });
});

describe.each(streamsOf(adminServices).map((route) => ({ name: route.method.name, route })))(
  '2.6 the stream $name',
  ({ route }) => {
    it.each(callers)('answers %s by its rule', async (caller) => {
      const { headers } = await arrive(caller);
      const asked = { callers: route.callers satisfies CallerRule, command: false, path: '' };
      if (expected(asked, caller) === 'in') return;
      const answer = await api.ask({
        method: 'POST',
        path: `/${route.service.typeName}/${route.method.name}`,
        headers: { ...headers, 'content-type': 'application/connect+json' },
        body: '\0\0\0\0\x02{}',
      });
      expect(answer.status).toBe(401);
    });
  },
);

const takesBody = (method: string): boolean => method !== 'GET' && method !== 'DELETE';

const randomIds = (route: Route): Fields =>
  Object.fromEntries([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, randomUUID()]));

/** Other spellings of a path that some server or other takes for the same. */
const spellings = (path: string): readonly string[] => [
  path.toUpperCase(),
  `${path}/`,
  `${path}%2f`,
  `${path};a=b`,
  `/${path}`,
  path.replace(/\/(?=[^/]+$)/, '//'),
  path.replace(/\/(?=[^/]+$)/, '/./'),
  path.replace(/\/(?=[^/]+$)/, '/x/../'),
  path.replace(/\/(?=[^/]+$)/, '/%2e/'),
  path.replace(/\/(?=[^/]+$)/, '/x/%2E%2e/'),
  path.replace(/\/(?=[^/]+$)/, '\\'),
  path.replace(/[a-z](?=[^/]*$)/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  path.replace(/^\/./, (start) => `/%${start.charCodeAt(1).toString(16)}`),
];

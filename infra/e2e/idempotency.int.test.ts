import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminServices, routesOf, type Route } from '@clustral/schemas/services.ts';
import { somebody, startAdminApi, type AdminApi, type ApiAnswer, type Somebody } from './parts/admin-api.ts';
import { recipes, restRequest, Things, type Fields } from './parts/api-things.ts';

let api: AdminApi;
let things: Things;
beforeAll(async () => {
  api = await startAdminApi();
  things = new Things(api);
});
afterAll(() => api.stop());

const commands = routesOf(adminServices).filter(({ command }) => command);

/** Somebody who may, and whose the things are to be. */
function callerOf({ callers }: Route): { readonly who: Somebody; readonly owner: Somebody } {
  const own = callers === 'owner' || callers === 'requester' || callers === 'acting';
  const who = own ? somebody() : somebody('clustral-admin');
  return { who, owner: own ? who : somebody() };
}

async function send(who: Somebody, route: Route, { fields, key }: { fields: Fields; key: string }): Promise<ApiAnswer> {
  const asked = restRequest(route, fields);
  return api.ask({
    ...asked,
    headers: {
      authorization: `Bearer ${await api.token(who)}`,
      'idempotency-key': key,
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
  });
}

/** An answer as it must be again. A token is signed again, and ECDSA signs differently each time: what it says must be the same. */
const told = ({ token, ...rest }: Fields): Fields =>
  typeof token === 'string' && token.split('.').length === 3
    ? { ...rest, token: token.split('.')[1] }
    : { ...rest, token };

const fieldsFor = async (route: Route, owner: Somebody): Promise<Fields> => {
  const recipe = recipes[route.method.localName];
  if (!recipe) throw new Error(`there is no recipe for ${route.method.name}`);
  return recipe(things, owner);
};

describe.each(commands.map((route) => ({ line: `${route.verb} ${route.path}`, route })))('JT-09 $line', ({ route }) => {
  it('happens once under one key, with one answer, also five times at once', async () => {
    const { who, owner } = callerOf(route);
    const [fields, key] = [await fieldsFor(route, owner), randomUUID()];
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(who, route, { fields, key })));
    answers.push(await send(who, route, { fields, key }));
    const [first] = answers;
    expect(first?.status, JSON.stringify(first?.json)).toBe(route.status);
    for (const { status, json, headers } of answers) {
      expect([status, told(json)]).toEqual([first?.status, told(first?.json ?? {})]);
      expect(headers['x-clustral-position']).toBe(first?.headers['x-clustral-position']);
    }
  });

  it('is refused under a key that stood for another request', async () => {
    const { who, owner } = callerOf(route);
    const key = randomUUID();
    expect((await send(who, route, { fields: await fieldsFor(route, owner), key })).status).toBe(route.status);
    // Two pending requests need two people, unless it is one's own that is asked for.
    const other = await fieldsFor(route, owner === who ? owner : somebody());
    const place = 'clusterId' in other ? 'clusterId' : 'id';
    const isOneForAll = other[place] === (await things.aCluster());
    const fields = isOneForAll ? { ...other, [place]: await things.cluster() } : other;
    const { status, json } = await send(who, route, { fields, key });
    expect([status, json['code']]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
  });
});

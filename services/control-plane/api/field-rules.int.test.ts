import { getOption, type DescField } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { field as fieldRule, TextForm } from '@clustral/schemas/gen/clustral/v1/options_pb.ts';
import { adminServices, routesOf, type Route } from '@clustral/schemas/services.ts';
import { somebody, startAdminApi, type AdminApi } from '../../../infra/e2e/parts/admin-api.ts';
import { recipes, restRequest, Things } from '../../../infra/e2e/parts/api-things.ts';

let api: AdminApi;
let things: Things;
beforeAll(async () => {
  api = await startAdminApi();
  things = new Things(api);
});
afterAll(() => api.stop());

/** A value that breaks one rule of a field. */
type Breach = { readonly where: readonly string[]; readonly rule: string; readonly value: unknown };

const outOfForm: Readonly<Record<TextForm, string | undefined>> = {
  [TextForm.UNSPECIFIED]: undefined,
  [TextForm.ID]: 'not-an-id',
  [TextForm.NAME]: 'Not A Name',
  [TextForm.DURATION]: 'a while',
  [TextForm.POSITION]: 'here',
};

function breachesOf(field: DescField, inside: readonly string[]): readonly Breach[] {
  const where = [...inside, field.jsonName];
  if (field.message && field.fieldKind === 'message') {
    const isOurs = field.message.typeName.startsWith('clustral.');
    return isOurs ? field.message.fields.flatMap((inner) => breachesOf(inner, where)) : [];
  }
  const { required, form, maxLength, maxItems, maximum, minimum } = getOption(field, fieldRule);
  const isList = field.fieldKind === 'list';
  const breach = (rule: string, value: unknown): Breach => ({ where, rule, value });
  const text = (value: string): unknown => (isList ? [value] : value);
  const item = (n: number): string => (form === TextForm.ID ? crypto.randomUUID() : `item-${n}`);
  const tooMany = Array.from({ length: maxItems + 1 }, (_, n) => item(n));
  return [
    ...(required ? [breach('required', isList ? [] : '')] : []),
    ...(outOfForm[form] === undefined ? [] : [breach('form', text(outOfForm[form]))]),
    ...(maxLength > 0 ? [breach('max_length', text('x'.repeat(maxLength + 1)))] : []),
    ...(maxItems > 0
      ? [breach('max_items', isList ? tooMany : Object.fromEntries(tooMany.map((name) => [name, 'x'])))]
      : []),
    ...(maximum > 0 ? [breach('maximum', maximum + 1)] : []),
    ...(maximum > 0 || minimum > 0 ? [breach('minimum', minimum - 1)] : []),
  ];
}

const rows = routesOf(adminServices).flatMap((route) =>
  route.method.input.fields
    .flatMap((field) => breachesOf(field, []))
    .map((breach) => ({ line: `${route.verb} ${route.path}`, field: breach.where.join('.'), ...breach, route })),
);

async function answerTo(route: Route, { where, value }: Breach) {
  const recipe = recipes[route.method.localName];
  if (!recipe) throw new Error(`there is no recipe for ${route.method.name}`);
  const good = await recipe(things, somebody());
  const [name = '', inner] = where;
  const fields = { ...good, [name]: inner === undefined ? value : { [inner]: value } };
  const asked = restRequest(route, fields);
  return api.ask({
    ...asked,
    headers: {
      authorization: `Bearer ${await api.token(somebody('clustral-admin'))}`,
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
  });
}

describe('a rule that the schema states of a field', () => {
  it('is stated of most', () => {
    expect(rows.length).toBeGreaterThan(60);
  });

  it.each(rows)('is kept: $line refuses $field when it breaks $rule', async ({ route, ...breach }) => {
    const { status, json } = await answerTo(route, breach);
    const said = `${status} ${JSON.stringify(json)}`;
    // An empty name in a path is another path.
    expect([400, 404, 405, 422], said).toContain(status);
    if (json['code'] !== 'VALIDATION_ERROR' || breach.rule === 'form') return;
    const named = String(json['field']).toLowerCase();
    const [last = ''] = breach.where.slice(-1);
    // An id in a path is called by what it is the id of.
    const names =
      last === 'id' ? ['id', 'roleid', 'credentialid'] : [breach.where.join('.').toLowerCase(), last.toLowerCase()];
    expect(names, said).toContain(named);
  });
});

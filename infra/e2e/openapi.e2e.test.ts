/**
 * The REST face against its own description, on the running services: thousands of requests, right and wrong, as an administrator and as
 * somebody without any rights. No answer may be a 5xx, each must be as described, and what is not described must be refused.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { somebody, startAdminApi, type AdminApi } from './parts/admin-api.ts';
import { missingForSchemathesis, problemsOf, walkApi } from './parts/schemathesis/schemathesis.ts';

const missing = missingForSchemathesis();
if (missing !== undefined) console.log(`not run: the REST face against its description; missing: ${missing}`);

const path = '/api/v1/openapi.json';
const secondsEach = 18;

describe.skipIf(missing !== undefined)('the description of the REST face', () => {
  let api: AdminApi;
  beforeAll(async () => {
    api = await startAdminApi();
  });
  afterAll(() => api.stop());

  it('is served to anyone, and is valid OpenAPI 3.1', async () => {
    const { status, json, headers } = await api.ask({ method: 'GET', path });
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(json).toMatchObject({ openapi: '3.1.0', info: { title: 'Clustral' } });
    expect(problemsOf(json)).toBe('');
    const { openapi: _version, ...broken } = json;
    expect(problemsOf(broken)).not.toBe('');
  });

  it.each([
    ['admin', ['clustral-admin']],
    ['dev', ['clustral-user']],
  ])('is what %s meets, whatever is sent', async (_, roles) => {
    const tokens = await Promise.all(Array.from({ length: 60 }, () => api.token(somebody(...roles))));
    const { code, output } = await walkApi({
      url: `http://127.0.0.1:${api.port}${path}`,
      tokens,
      seconds: secondsEach,
    });
    expect(code, output).toBe(0);
    const [, generated = '0'] = /(\d+) generated/.exec(output.replaceAll(',', '')) ?? [];
    expect(Number(generated), output).toBeGreaterThan(200);
  });
});

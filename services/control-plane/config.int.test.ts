import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment } from '@clustral/kernel/config.ts';
import { readControlPlaneConfig } from './config.ts';
import { prepareInstallation } from './testing/installation.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
let environment: Environment;

beforeAll(async () => {
  ({ environment } = await prepareInstallation(folder, 'unix:/nowhere'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the configuration of the control plane', () => {
  it('has defaults for what an operator need not say', () => {
    expect(readControlPlaneConfig(environment)).toMatchObject({
      listenHost: '127.0.0.1',
      docsBaseUrl: 'https://localhost:8443/errors/',
      credentialTtl: { defaultSeconds: 28_800, maxSeconds: 28_800 },
      accessLimits: { defaultSeconds: 3_600, maxSeconds: 86_400, decidableSeconds: 3_600 },
      headTimeoutMs: 120_000,
      nameRule: { emailTrustedIssuers: [], subjectNamedIssuers: [] },
    });
    expect(readControlPlaneConfig({ ...environment, CLUSTRAL_ENV: 'production' }).listenHost).toBe('0.0.0.0');
  });

  it('asks for no more access than may be granted', () => {
    const { accessLimits } = readControlPlaneConfig({ ...environment, ACCESS_MAX_DURATION: '20m' });
    expect(accessLimits).toMatchObject({ defaultSeconds: 1_200, maxSeconds: 1_200 });
  });

  it.each([
    [{ CREDENTIAL_DEFAULT_TTL: '9h' }, /CREDENTIAL_DEFAULT_TTL: it is longer than CREDENTIAL_MAX_TTL/],
    [{ ACCESS_DEFAULT_DURATION: '25h' }, /ACCESS_DEFAULT_DURATION: it is longer than ACCESS_MAX_DURATION/],
    [{ ACCESS_REQUEST_TTL: '0s' }, /ACCESS_REQUEST_TTL/],
    [{ ACCESS_MAX_DURATION: '31d' }, /ACCESS_MAX_DURATION/],
    [{ CREDENTIAL_MAX_TTL: 'forever' }, /CREDENTIAL_MAX_TTL/],
    [{ CA_KEY_PATH: '/nowhere/ca.key' }, /CA_KEY_PATH: cannot read \/nowhere\/ca.key \(ENOENT\)/],
    [
      { AGENT_JWT_PUBLIC_KEY_PATH: '/nowhere/a.pub' },
      /AGENT_JWT_PUBLIC_KEY_PATH: cannot read \/nowhere\/a.pub \(ENOENT\)/,
    ],
    [{ PUBLIC_URL: 'localhost' }, /PUBLIC_URL: 'localhost' is not a URL/],
    [{ CLUSTRAL_ENV: 'production', SEED_PATH: 'seed.json' }, /SEED_PATH: this value is for trying out only/],
    [{ EVENTSTORE_CONNECTION_STRING: undefined }, /EVENTSTORE_CONNECTION_STRING/],
  ])('is refused with %j', (change, message) => {
    expect(() => readControlPlaneConfig({ ...environment, ...change })).toThrow(message);
  });
});

import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '@clustral/kernel/config.ts';
import { readGatewayConfig } from './config.ts';

const usable = {
  PUBLIC_URL: 'https://clustral.example',
  CONTROLPLANE_URL: 'http://control-plane:5100',
  AUDIT_SERVICE_URL: 'http://audit:5200',
  WEB_URL: 'http://web:3000',
  OIDC_AUTHORITY: 'https://id.example/realms/clustral',
  INTERNAL_JWT_PRIVATE_KEY_PATH: '/nowhere/internal.key',
  INTERNAL_JWT_PUBLIC_KEY_PATH: '/nowhere/internal.pub',
  KUBECONFIG_JWT_PUBLIC_KEY_PATH: '/nowhere/kubeconfig.pub',
};
const problemOf = (environment: Record<string, string | undefined>): string => {
  try {
    readGatewayConfig({ ...usable, ...environment });
    return '';
  } catch (thrown) {
    if (!(thrown instanceof ConfigurationError)) throw thrown;
    return thrown.message;
  }
};

describe('the configuration of the gateway', () => {
  it('is all right up to the keys that are not there', () => {
    expect(problemOf({})).toContain('INTERNAL_JWT_PRIVATE_KEY_PATH: cannot read /nowhere/internal.key (ENOENT)');
  });

  it('SC-01 takes no plain-http identity in production', () => {
    expect(problemOf({ OIDC_REQUIRE_HTTPS: 'false' })).toContain('OIDC_REQUIRE_HTTPS');
    expect(problemOf({ OIDC_REQUIRE_HTTPS: 'false', CLUSTRAL_ENV: 'embedded' })).not.toContain('OIDC_REQUIRE_HTTPS');
    expect(problemOf({ IDENTITY_PROVIDER_URL: 'http://127.0.0.1:1' })).toContain('IDENTITY_PROVIDER_URL');
  });

  it.each(['production', 'embedded'])('SC-01 takes no plain-http issuer in %s unless it is told to', (environment) => {
    expect(problemOf({ CLUSTRAL_ENV: environment, OIDC_AUTHORITY: 'http://id.example' })).toContain('OIDC_AUTHORITY');
  });

  it('takes keys over plain http from this machine only', () => {
    expect(problemOf({ OIDC_METADATA_ADDRESS: 'http://keycloak:8080/x' })).toContain('OIDC_METADATA_ADDRESS');
    expect(problemOf({ OIDC_METADATA_ADDRESS: 'http://127.0.0.1:9000/x' })).not.toContain('OIDC_METADATA_ADDRESS');
  });

  it.each(['no json', '[]', '{"a":"b"}', '{"a":["clustral-admin"]}', '{"":"clustral-admin"}', '{"a":"clustral-user"}'])(
    'takes no mapping of roles like %s',
    (mapping) => {
      expect(problemOf({ OIDC_ROLE_MAPPING: mapping })).toContain('OIDC_ROLE_MAPPING: must be JSON like');
    },
  );

  it('holds further issuers to the same rules as the first', () => {
    expect(problemOf({ OIDC_FURTHER_AUTHORITIES: 'https://a.example, http://b.example' })).toContain(
      'OIDC_FURTHER_AUTHORITIES: an issuer over plain http',
    );
    expect(problemOf({ OIDC_FURTHER_AUTHORITIES: 'elsewhere' })).toContain("'elsewhere' is not a URL");
    expect(problemOf({ OIDC_AUDIENCE: ',' })).toContain('OIDC_AUDIENCE: it names no audience');
  });

  it('names everything that is wrong at once', () => {
    const message = problemOf({ WEB_URL: 'web', TLS_CERT_PATH: '/x', TRUSTED_PROXIES: '10.0.0.0/99' });
    for (const name of ['WEB_URL', 'TLS_CERT_PATH', 'TRUSTED_PROXIES']) expect(message).toContain(name);
    expect(problemOf({ CONTROLPLANE_URL: undefined, OIDC_AUTHORITY: undefined })).toMatch(
      /CONTROLPLANE_URL[^]*OIDC_AUTHORITY/,
    );
  });
});

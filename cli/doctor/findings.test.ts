import { X509Certificate } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ClusterSchema } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { AccessSchema } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { makeLocalhostCertificate } from '../../infra/embedded/identity-provider/testing/certificate.ts';
import { versionIn } from '../kubectl.ts';
import { skewFindings } from './kube-checks.ts';
import { certificateFinding, proxyFinding } from './network-checks.ts';
import { reportOf } from './report.ts';
import { clockFinding, versionFinding } from './server-checks.ts';

describe('a proxy variable', () => {
  const server = new URL('https://clustral.corp.example:8443');
  const secret = 'http://user:password@proxy:3128';
  it.each([
    ['is not set', {}, 'ok'],
    ['is for other schemes', { HTTP_PROXY: secret }, 'ok'],
    ['leads kubectl elsewhere', { HTTPS_PROXY: secret }, 'warn'],
    ['leads kubectl elsewhere in lower case', { https_proxy: secret }, 'warn'],
    ['excepts the server', { HTTPS_PROXY: secret, NO_PROXY: 'a.example, clustral.corp.example' }, 'ok'],
    ['excepts its domain', { HTTPS_PROXY: secret, NO_PROXY: '.corp.example' }, 'ok'],
    ['excepts everything', { HTTPS_PROXY: secret, no_proxy: '*' }, 'ok'],
    ['excepts another domain', { HTTPS_PROXY: secret, NO_PROXY: 'xcorp.example,rp.example' }, 'warn'],
  ])('that %s', (_what, env, status) => {
    const finding = proxyFinding(env, server);
    expect(finding.status).toBe(status);
    expect(JSON.stringify(finding)).not.toContain('password');
  });

  it('is of no use for this machine itself', () => {
    expect(proxyFinding({ HTTPS_PROXY: secret }, new URL('https://localhost:8443')).status).toBe('ok');
  });
});

describe('a verified certificate', () => {
  const made = Date.parse('2026-04-01T12:00:00Z');
  const { certificate } = makeLocalhostCertificate(new Date(made));
  const leaf = new X509Certificate(certificate);
  const hours = (count: number): number => made + count * 3_600_000;

  it('says with what it was verified and until when', () => {
    // It is good from a day before it was made to a day after.
    expect(certificateFinding(leaf, undefined, hours(0))).toEqual({
      status: 'ok',
      what: "verified with a CA of this machine's list, until 2026-04-02",
    });
    expect(certificateFinding(leaf, certificate, hours(0)).what).toContain('the CA that was kept at the sign-in');
  });

  it('warns in the last quarter of its life', () => {
    expect(certificateFinding(leaf, undefined, hours(12)).status).toBe('ok');
    expect(certificateFinding(leaf, undefined, hours(13))).toMatchObject({
      status: 'warn',
      what: 'the certificate ends in 11h',
    });
  });

  it('warns two weeks before the end of what lives for years', () => {
    const lasting = { validFrom: 'Jan  1 00:00:00 2020 GMT', validTo: 'Jan 31 00:00:00 2030 GMT' } as X509Certificate;
    expect(certificateFinding(lasting, undefined, Date.parse('2030-01-16')).status).toBe('ok');
    expect(certificateFinding(lasting, undefined, Date.parse('2030-01-18'))).toMatchObject({
      status: 'warn',
      what: 'the certificate ends in 13d',
    });
  });
});

describe('the clock', () => {
  it.each([
    [undefined, 'ok', 'the server does not say what time it is'],
    [400, 'ok', "within 1 s of the server's"],
    [-60_000, 'ok', "within 60 s of the server's"],
    [94_000, 'warn', 'this machine is 94 s ahead of the server'],
    [-3_600_000, 'warn', 'this machine is 3600 s behind the server'],
  ])('%j ms off', (skew, status, what) => expect(clockFinding(skew)).toMatchObject({ status, what }));
});

describe('versions', () => {
  it.each([
    ['0.1.0', 'ok'],
    ['0.2.9', 'ok'],
    ['0.3.0', 'warn'],
    ['1.1.0', 'warn'],
    ['no version', 'warn'],
  ])('of the server %s', (server, status) => expect(versionFinding(server).status).toBe(status));

  it.each([
    ['v1.33.1', '1.33'],
    [{ major: '1', minor: '20+' }, '1.20'],
    [{ major: '1' }, undefined],
    ['', undefined],
    [null, undefined],
    ['1.33', '1.33'],
    ['v1.33-gke.4', '1.33'],
  ])('are read from %j', (said, version) => expect(versionIn(said)).toBe(version));

  it('of kubectl and clusters may be one minor apart, for clusters that can be reached', () => {
    const cluster = (name: string, kubernetesVersion: string) =>
      create(ClusterSchema, { id: name, name, kubernetesVersion });
    const clusters = [
      cluster('near', 'v1.32.4'),
      cluster('old', 'v1.29.0'),
      cluster('far-away', 'v1.20.0'),
      cluster('unknown', ''),
    ];
    const access = ['near', 'old', 'unknown'].map((clusterId) => create(AccessSchema, { clusterId }));
    expect([skewFindings(versionIn('1.33'), { access, clusters })].flat()).toEqual([
      {
        status: 'warn',
        what: 'old runs Kubernetes 1.29, and kubectl is 1.33',
        fix: 'use a kubectl of 1.28 to 1.30 for it',
      },
    ]);
    expect(skewFindings(versionIn('1.30'), { access: access.slice(1), clusters })).toMatchObject({ status: 'ok' });
    expect(skewFindings(undefined, { access, clusters })).toMatchObject({ status: 'skipped' });
  });
});

describe('the report', () => {
  const results = [
    { check: 'dns', status: 'ok', message: 'localhost is ::1' },
    { check: 'tls', status: 'fail', message: 'expired', fix: 'renew it' },
    { check: 'control plane', status: 'skipped', message: "because 'tls' failed" },
  ] as const;

  it('is aligned on a terminal, with the way out below each problem', () => {
    expect(reportOf(results, { aligned: true, color: false })).toBe(
      [
        'ok        dns             localhost is ::1',
        'fail      tls             expired',
        '                          fix: renew it',
        "skipped   control plane   because 'tls' failed",
        '',
      ].join('\n'),
    );
  });

  it('has four columns with tabs in a pipe', () => {
    expect(reportOf(results, { aligned: false, color: false })).toBe(
      "ok\tdns\tlocalhost is ::1\nfail\ttls\texpired\trenew it\nskipped\tcontrol plane\tbecause 'tls' failed\n",
    );
  });
});

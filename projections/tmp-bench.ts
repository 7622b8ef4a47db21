import { mkdtempSync, statSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { startLog, startProjector } from './testing/rig.ts';
import { openReadModels } from './read-models.ts';
import { auditEvents, getAuditEvent } from './audit/query.ts';
import { synced, registered, roleCreated } from './testing/people.ts';
const N = Number(process.argv[2] ?? 100000);
const log = await startLog();
const t0 = performance.now();
const meta = (actor: string, n: number) => ({
  schemaVersion: 1,
  actor: { kind: 'user' as const, id: actor },
  epoch: 0,
  $correlationId: `corr-${n}`,
  requestId: `r${n}`,
  sourceAddress: '198.51.100.7',
  userAgent: 'kubectl/v1.35.0',
});
for (let u = 0; u < 50; u++)
  await log.store.append(`user-u${u}`, 'none', [{ id: randomUUID(), ...synced(`u${u}`), metadata: meta(`u${u}`, u) }]);
for (let c = 0; c < 10; c++)
  await log.store.append(`cluster-c${c}`, 'none', [
    { id: randomUUID(), ...registered(`c${c}`), metadata: meta('u0', c) },
  ]);
await log.store.append('role-r', 'none', [{ id: randomUUID(), ...roleCreated('r'), metadata: meta('u0', 1) }]);
const verbs = ['get', 'list', 'watch', 'create', 'delete', 'patch'];
const res = ['pods', 'deployments', 'services', 'secrets', 'configmaps', 'nodes'];
const revs = new Map<string, number>();
let last = 0n;
const start = Date.parse('2026-11-20T00:00:00Z');
for (let i = 0; i < N; i += 100) {
  const c = (i / 100) % 10;
  const stream = `proxy-c${c}-20261120`;
  const facts = Array.from({ length: 100 }, (_, k) => {
    const n = i + k;
    const u = n % 50;
    return {
      id: randomUUID(),
      type: 'proxy.request',
      data: {
        requestId: randomUUID(),
        clusterId: `c${c}`,
        userId: `u${u}`,
        userRevision: 0,
        roleId: 'r',
        roleRevision: 0,
        accessRequestId: n % 40 === 0 ? `q${n % 1000}` : null,
        credentialId: `k${n % 500}`,
        request: {
          method: 'GET',
          path: `/api/v1/namespaces/ns-${n % 97}/${res[n % 6]}/web-${n % 1009}`,
          verb: verbs[n % 6],
          group: '',
          version: 'v1',
          resource: res[(n >> 3) % 6],
          subresource: null,
          namespace: `ns-${n % 97}`,
          name: `web-${n % 1009}`,
          recognised: true,
        },
        strict: false,
        phase: 'ended',
        startedAt: new Date(start + n * 500).toISOString(),
        outcome: {
          status: n % 20 === 0 ? 404 : 200,
          bytesSent: 1000,
          bytesReceived: 0,
          durationMs: n % 300,
          end: 'completed',
          errorCode: null,
        },
      },
      metadata: meta(`u${u}`, n),
    };
  });
  const rev = revs.get(stream);
  const a = await log.store.append(stream, rev === undefined ? 'none' : rev, facts as never);
  revs.set(stream, a.revision);
  last = a.position;
}
console.log('appended', N, ((N / (performance.now() - t0)) * 1000).toFixed(0), 'ev/s');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const t1 = performance.now();
const cpu = process.cpuUsage();
const p = startProjector(log.store, folder, { keepSeconds: 3650 * 86400 });
const models = openReadModels({ folder, readOnly: true });
for (;;) {
  if (p.status.position !== undefined && p.status.position >= last && p.status.caughtUp) break;
  await new Promise((r) => setTimeout(r, 20));
}
const sec = (performance.now() - t1) / 1000;
const used = process.cpuUsage(cpu);
console.log(
  'projected',
  N,
  'in',
  sec.toFixed(1),
  's =',
  (N / sec).toFixed(0),
  'ev/s; cpu',
  ((used.user + used.system) / 1e6).toFixed(1),
  's',
);
for (const f of readdirSync(folder)) console.log(f, (statSync(join(folder, f)).size / 1e6).toFixed(1), 'MB');
await models.waitFor(last, 5000);
async function time(name: string, filters: object, extra: object = {}) {
  const ts: number[] = [];
  let total = 0;
  for (let i = 0; i < 15; i++) {
    const t = performance.now();
    const r = await auditEvents(models, { filters, limit: 50, ...extra } as never);
    ts.push(performance.now() - t);
    total = r.total;
    if (i === 0) console.log('  first', ts[0]!.toFixed(1));
  }
  ts.sort((a, b) => a - b);
  console.log(name.padEnd(34), 'p50', ts[7]!.toFixed(2), 'max', ts[14]!.toFixed(2), 'ms total', total);
}
await time('none', {});
await time('category', { category: 'proxy' });
await time('category+severity', { category: 'proxy', severity: 'Warning' });
await time('user email', { user: 'u7@corp.example' });
await time('cluster', { clusterId: 'c3' });
await time('cluster+severity+user', { clusterId: 'c3', severity: 'Warning', user: 'u7' });
await time('request', { accessRequestId: 'q40' });
await time('correlation', { correlationId: 'corr-777' });
await time('time window', { fromAt: start + 10000_000, toAt: start + 10600_000 });
await time('time window+sev', { fromAt: start, toAt: start + 10600_000, severity: 'Warning' });
await time('text rare', { text: 'web 1008' });
await time('text common', { text: 'pods default gave' });
await time('text prefix common', { text: 'ga' });
await time('text two common', { text: 'pods ns' });
await time('text no hit', { text: 'nonexistent' });
await time('text common empty cross', { text: 'u1 c3 pods 404' });
await time('deep page', {}, { skip: 9950 });
const any = await auditEvents(models, { filters: {}, limit: 1 });
const tt = performance.now();
await getAuditEvent(models, any.items[0]!.uid);
console.log('one', (performance.now() - tt).toFixed(2));
// live latency
const lat: number[] = [];
for (let i = 0; i < 100; i++) {
  const t = performance.now();
  const a = await log.store.append(`role-x${i}`, 'none', [
    { id: randomUUID(), ...roleCreated(`x${i}`), metadata: meta('u0', 1) },
  ]);
  const t2 = performance.now();
  await models.waitFor(a.position, 5000);
  lat.push(performance.now() - t2);
}
lat.sort((a, b) => a - b);
console.log('append ack -> readable p50', lat[50]!.toFixed(1), 'p99', lat[98]!.toFixed(1));
models.close();
await p.stop();
await log.stop();
process.exit(0);

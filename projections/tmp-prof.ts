import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { openSqliteStore } from './sqlite/store.ts';
import { allCollections, allModels } from './all-models.ts';
import { openFold } from './fold.ts';
import { synced, registered, roleCreated } from './testing/people.ts';
const N = Number(process.argv[2] ?? 30000);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const store = openSqliteStore({ folder, version: 1, collections: allCollections });
const fold = await openFold(store, allModels);
let pos = 0n;
const revs = new Map<string, number>();
const rec = (stream: string, f: any, actor: string, n: number) => {
  const r = (revs.get(stream) ?? -1) + 1;
  revs.set(stream, r);
  pos++;
  return {
    id: randomUUID(),
    stream,
    revision: r,
    position: pos,
    recordedAt: new Date(1e12 + n * 500),
    metadata: {
      schemaVersion: 1,
      actor: { kind: 'user', id: actor },
      epoch: 0,
      $correlationId: `corr-${n}`,
      requestId: `r${n}`,
      sourceAddress: '198.51.100.7',
      userAgent: 'kubectl/v1.35.0',
    },
    ...f,
  } as any;
};
for (let u = 0; u < 50; u++) await fold.take(rec(`user-u${u}`, synced(`u${u}`), `u${u}`, u));
for (let c = 0; c < 10; c++) await fold.take(rec(`cluster-c${c}`, registered(`c${c}`), 'u0', c));
await fold.take(rec('role-r', roleCreated('r'), 'u0', 1));
await fold.commit();
const verbs = ['get', 'list', 'watch', 'create', 'delete', 'patch'];
const res = ['pods', 'deployments', 'services', 'secrets', 'configmaps', 'nodes'];
const facts: any[] = [];
for (let n = 0; n < N; n++) {
  const u = n % 50,
    c = Math.floor(n / 100) % 10;
  facts.push(
    rec(
      `proxy-c${c}-20261120`,
      {
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
          startedAt: new Date(1.79e12 + n * 500).toISOString(),
          outcome: {
            status: n % 20 === 0 ? 404 : 200,
            bytesSent: 1000,
            bytesReceived: 0,
            durationMs: n % 300,
            end: 'completed',
            errorCode: null,
          },
        },
      },
      `u${u}`,
      n,
    ),
  );
}
const t = performance.now();
const c0 = process.cpuUsage();
let tc = 0;
for (let i = 0; i < N; i += 2000) {
  for (const f of facts.slice(i, i + 2000)) await fold.take(f);
  const a = performance.now();
  await fold.commit();
  tc += performance.now() - a;
}
const s = (performance.now() - t) / 1000;
const u = process.cpuUsage(c0);
console.log(
  N,
  'facts',
  s.toFixed(2),
  's',
  (N / s).toFixed(0),
  '/s; commit',
  (tc / 1000).toFixed(2),
  's; cpu',
  ((u.user + u.system) / 1e6).toFixed(2),
);
await store.close();
const fs = await import('node:fs');
console.log(fs.readdirSync(folder).map((f) => f + ' ' + (fs.statSync(join(folder, f)).size / 1e6).toFixed(1)));

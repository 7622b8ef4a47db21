import { fork, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildStage } from './stage.ts';
const stage = await buildStage();
const pids = execFileSync('pgrep', ['-P', String(process.pid)]).toString().trim().split('\n').map(Number);
const cpu = () => new Map(pids.map((p) => { const s = readFileSync(`/proc/${p}/stat`, 'utf8'); const f = s.slice(s.lastIndexOf(')') + 2).split(' '); return [p, (Number(f[11]) + Number(f[12])) * 10]; }));
const name = (p: number) => readFileSync(`/proc/${p}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(-40);
const load = (order: object) => new Promise<any>((res) => { const c = fork(join(import.meta.dirname, 'load.ts')); c.send(order); c.once('message', (r) => { c.kill(); res(r); }); });
await load({ ...stage.product, connections: 32, milliseconds: 2000 });
for (const which of ['product', 'hop'] as const) {
  const before = cpu(); const r = await load({ ...stage[which], connections: 32, milliseconds: 4000 }); const after = cpu();
  console.log(which, Math.round(r.perSecond), 'req/s');
  for (const p of pids) if (before.has(p)) console.log('  ', name(p), ((after.get(p)! - before.get(p)!) * 1000 / r.requests).toFixed(0), 'us/request');
}
if (process.env['HOLD']) await new Promise(r => setTimeout(r, 1e6));
await stage.stop();

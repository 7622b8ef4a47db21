/**
 * Runs the demo cluster by itself: `node infra/embedded/demo-cluster/main.ts`. Environment: PORT (a free one when
 * absent), TLS_CERT_PATH and TLS_KEY_PATH (PEM), SERVICE_ACCOUNT_TOKEN_FILE, STATE_FILE (optional). It prints one line,
 * `listening HOST:PORT`, and runs until SIGINT or SIGTERM.
 */
import { readFile } from 'node:fs/promises';
import { startDemoCluster } from './start.ts';

async function main(environment: NodeJS.ProcessEnv): Promise<void> {
  const file = async (name: string): Promise<string> => {
    const path = environment[name];
    if (path === undefined || path === '') throw new Error(`${name} is not set: give it the path of a file`);
    return readFile(path, 'utf8');
  };
  const stateFile = environment['STATE_FILE'];
  const cluster = await startDemoCluster({
    tls: { cert: await file('TLS_CERT_PATH'), key: await file('TLS_KEY_PATH') },
    serviceAccountToken: (await file('SERVICE_ACCOUNT_TOKEN_FILE')).trim(),
    port: Number(environment['PORT'] ?? 0),
    ...(stateFile === undefined ? {} : { stateFile }),
    now: () => new Date(),
    log: (level, message, fields) => console.error(JSON.stringify({ level, message, ...fields })),
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void cluster.stop());
  // Whoever reads this line may send a signal at once.
  console.log(`listening 127.0.0.1:${cluster.port}`);
}

if (import.meta.main) await main(process.env);

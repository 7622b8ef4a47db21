/**
 * `npm start`: the whole product on one machine, on its embedded parts. It prepares the data folder, starts the processes, says when everything answers
 * and what to type next, and ends them on Ctrl-C. All that can be refused is refused with one sentence before anything is started.
 */
import { join } from 'node:path';
import { DataFolderError, openDataFolder, type DataFolder } from './data-folder.ts';
import { environments, paths, type Ports } from './environment.ts';
import { prepareKeys } from './first-start.ts';
import { parseOptions, UsageError, type Options } from './options.ts';
import { freePorts, waitUntilFree } from './ports.ts';
import { assignments } from './processes.ts';
import { whenReady } from './readiness.ts';
import { prepareSeed } from './seed.ts';
import { createSupervisor } from './supervisor.ts';
import { welcome } from './welcome.ts';

/** After a kill -9 the old processes notice within a moment that their supervisor is gone. */
const portPatienceMs = 6_000;

class StartRefused extends Error {}

const say = (line: string): void => console.log(line);

async function run(options: Options): Promise<number> {
  const begun = performance.now();
  const folder = openDataFolder(options.dataFolder);
  try {
    say(
      folder.isNew ? `Making keys and a first log in ${folder.path} …` : `Going on with the data in ${folder.path} …`,
    );
    const { caFingerprint } = await prepareKeys(folder, new Date());
    const ports = await choosePorts(options);
    const at = paths(folder.path);
    folder.folder('agent');
    const seed = prepareSeed(at.seed, {
      issuer: `https://localhost:${ports.gateway}/realms/clustral`,
      bootstrapTokenFile: at.agentBootstrapToken,
    });
    return await supervise({ folder, ports, caFingerprint, demoClusterId: seed.cluster.id, begun });
  } finally {
    folder.release();
  }
}

async function choosePorts(options: Options): Promise<Ports> {
  for (const [flag, port] of [
    ['--port', options.port],
    ['--tunnel-port', options.tunnelPort],
  ] as const) {
    if (!(await waitUntilFree(port, portPatienceMs))) {
      throw new StartRefused(`Port ${port} is in use by another program: stop it, or choose another with ${flag}.`);
    }
  }
  const [controlPlane = 0, audit = 0, web = 0, identityProvider = 0, demoCluster = 0] = await freePorts(5);
  return { gateway: options.port, tunnel: options.tunnelPort, controlPlane, audit, web, identityProvider, demoCluster };
}

type Installation = {
  readonly folder: DataFolder;
  readonly ports: Ports;
  readonly caFingerprint: string;
  readonly demoClusterId: string;
  readonly begun: number;
};

async function supervise({ folder, ports, caFingerprint, demoClusterId, begun }: Installation): Promise<number> {
  const asked = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => asked.resolve(undefined));
  const supervisor = createSupervisor({
    logFolder: folder.folder('logs'),
    environment: { ...process.env, NODE_COMPILE_CACHE: folder.folder('compile-cache') },
    say,
  });
  const parts = environments({ dataFolder: folder.path, ports, demoClusterId });
  const starting = Promise.all(assignments(parts).map((assignment) => supervisor.run(assignment)));
  const ready = starting
    .then(() => whenReady({ ports, edgeCa: paths(folder.path).edgeCa }))
    .then(() => {
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      say(welcome({ port: ports.gateway, caFingerprint, seconds, logFolder: join(folder.path, 'logs') }));
    });
  const failed = Promise.race([
    supervisor.givenUp,
    ready.then(
      () => new Promise<never>(() => undefined),
      (cause: unknown) => (cause as Error).message,
    ),
  ]);
  const reason = await Promise.race([asked.promise, failed]);
  if (reason !== undefined) console.error(`Clustral cannot go on: ${reason}`);
  else say('Stopping …');
  await supervisor.stop();
  if (reason === undefined) say('Stopped. Your data are kept; npm start goes on with them.');
  return reason === undefined ? 0 : 1;
}

async function main(): Promise<number> {
  try {
    return await run(parseOptions(process.argv.slice(2), { CLUSTRAL_DATA: process.env['CLUSTRAL_DATA'] }));
  } catch (cause) {
    if (cause instanceof UsageError || cause instanceof DataFolderError || cause instanceof StartRefused) {
      console.error(cause.message);
      return cause instanceof UsageError ? 2 : 1;
    }
    throw cause;
  }
}

process.exit(await main());

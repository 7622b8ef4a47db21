/**
 * `npm start`: the whole product on one machine, on its embedded parts. It prepares the data folder, starts the processes, says when everything answers
 * and what to type next, and ends them on Ctrl-C. All that can be refused is refused with one sentence before anything is started.
 */
import { join } from 'node:path';
import { KubeconfigError } from '@clustral/agent/kubeconfig-section.ts';
import { readKubeconfig } from '@clustral/agent/kubeconfig.ts';
import { DataFolderError, openDataFolder, type DataFolder } from './data-folder.ts';
import { environments, paths, type Environments, type Ports } from './environment.ts';
import { prepareKeys } from './first-start.ts';
import { parseOptions, UsageError, type Options } from './options.ts';
import { freePorts, waitUntilFree } from './ports.ts';
import { assignments } from './processes.ts';
import { whenReady } from './readiness.ts';
import { prepareSeed, seededClusterId } from './seed.ts';
import { createSupervisor } from './supervisor.ts';
import { welcome, type LocalCluster } from './welcome.ts';

/** After a kill -9 the old processes notice within a moment that their supervisor is gone. */
const portPatienceMs = 6_000;

class StartRefused extends Error {}

/** What is said in a sentence, without a stack. */
const refusals = [UsageError, DataFolderError, KubeconfigError, StartRefused] as const;

const say = (line: string): void => console.log(line);

async function run(options: Options): Promise<number> {
  const begun = performance.now();
  const local = options.kubeconfig === undefined ? undefined : localCluster(options.kubeconfig);
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
      bootstrapTokenFiles: {
        demo: at.agentBootstrapToken,
        ...(local && { local: at.localAgentBootstrapToken }),
      },
    });
    const uiFolder = process.env['WEB_UI_PATH'];
    const parts = environments({
      ...(uiFolder !== undefined && { uiFolder }),
      dataFolder: folder.path,
      ports,
      demoClusterId: seededClusterId(seed, 'demo'),
      tunnelHost: options.tunnelHost,
      ...(local && { local: { clusterId: seededClusterId(seed, 'local'), kubeconfig: local.kubeconfig } }),
    });
    return await supervise({ folder, ports, parts, caFingerprint, local, begun });
  } finally {
    folder.release();
  }
}

/** The cluster that the file's current context names. Throws `KubeconfigError`; whether it answers is seen later. */
function localCluster(kubeconfig: string): LocalCluster {
  const { context, kubernetes } = readKubeconfig(kubeconfig);
  return { kubeconfig, context, server: kubernetes.url.origin };
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
  readonly parts: Environments;
  readonly caFingerprint: string;
  readonly local: LocalCluster | undefined;
  readonly begun: number;
};

async function supervise({ folder, ports, parts, caFingerprint, local, begun }: Installation): Promise<number> {
  const asked = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => asked.resolve(undefined));
  const supervisor = createSupervisor({
    logFolder: folder.folder('logs'),
    environment: { ...process.env, NODE_COMPILE_CACHE: folder.folder('compile-cache') },
    say,
  });
  const starting = Promise.all(assignments(parts).map((assignment) => supervisor.run(assignment)));
  const ready = starting
    .then(() => whenReady({ ports, edgeCa: paths(folder.path).edgeCa }))
    .then(() => {
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      say(welcome({ port: ports.gateway, caFingerprint, seconds, logFolder: join(folder.path, 'logs'), local }));
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
    if (!refusals.some((kind) => cause instanceof kind)) throw cause;
    console.error((cause as Error).message);
    return cause instanceof UsageError ? 2 : 1;
  }
}

process.exit(await main());

/**
 * The product as its processes, put together by a test: what `npm start` runs, with parts left out or told something else, so that a real proxy can stand
 * in front of it or a real identity provider beside it. Keys, data folder, supervisor and processes are those of `npm start`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '@clustral/kernel/config.ts';
import { openDataFolder } from '../../standalone/data-folder.ts';
import { environments, paths, type Ports } from '../../standalone/environment.ts';
import { prepareKeys } from '../../standalone/first-start.ts';
import type { PartName } from '../../standalone/parts.ts';
import { freePorts } from '../../standalone/ports.ts';
import { assignments } from '../../standalone/processes.ts';
import { prepareSeed, seededClusterId } from '../../standalone/seed.ts';
import { createSupervisor } from '../../standalone/supervisor.ts';
import type { Product, ProductPlace } from './product.ts';

export type Parts = Readonly<Partial<Record<PartName, Environment>>>;

/** What people and tests see of it, and where its own files and ports are. */
export type ComposedProduct = Pick<Product, 'url' | 'dataFolder' | 'caPem'> & {
  readonly ports: Ports;
  /** What a process has logged. */
  log(process: string): string;
  stop(): Promise<void>;
};

/** The world around it, prepared before its processes run. */
export type Prepared = { readonly ports: Ports; readonly at: ReturnType<typeof paths> };

export type Composition = {
  /** The issuer in whose name the seed's administrator is known; the embedded one when unset. */
  readonly issuer?: string;
  /** Changes what the parts are told; a part that is left out does not run. */
  readonly compose: (parts: Parts, prepared: Prepared) => Parts;
  /** Runs when keys and ports are there and before the product is. */
  readonly before?: (prepared: Prepared) => Promise<void>;
};

/** Starts it in the place, where `gateway` is the port of its public address; resolves when every process says that it is ready. */
export async function startComposedProduct(place: ProductPlace, composition: Composition): Promise<ComposedProduct> {
  const folder = openDataFolder(place.dataFolder);
  await prepareKeys(folder, new Date());
  const [controlPlane = 0, audit = 0, web = 0, identityProvider = 0, demoCluster = 0] = await freePorts(5);
  const ports = { ...place, controlPlane, audit, web, identityProvider, demoCluster };
  const at = paths(folder.path);
  folder.folder('agent');
  const url = `https://localhost:${place.gateway}`;
  const seed = prepareSeed(at.seed, {
    issuer: composition.issuer ?? `${url}/realms/clustral`,
    bootstrapTokenFiles: { demo: at.agentBootstrapToken },
  });
  await composition.before?.({ ports, at });
  const parts = environments({ dataFolder: folder.path, ports, demoClusterId: seededClusterId(seed, 'demo') });
  const said: string[] = [];
  const supervisor = createSupervisor({
    logFolder: folder.folder('logs'),
    environment: { ...process.env, NODE_COMPILE_CACHE: folder.folder('compile-cache') },
    say: (sentence) => void said.push(sentence),
  });
  const stop = async (): Promise<void> => {
    await supervisor.stop();
    folder.release();
  };
  const starting = assignments(composition.compose(parts, { ports, at })).map((one) => supervisor.run(one));
  await Promise.race([Promise.all(starting), supervisor.givenUp.then((why) => Promise.reject(new Error(why)))]).catch(
    async (cause: unknown) => {
      await stop();
      throw cause;
    },
  );
  return {
    url,
    dataFolder: folder.path,
    ports,
    caPem: () => readFileSync(at.edgeCa, 'utf8'),
    log: (name) => readFileSync(join(folder.path, 'logs', `${name}.log`), 'utf8'),
    stop,
  };
}

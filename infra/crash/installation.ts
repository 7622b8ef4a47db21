/** An installation to be killed: a new data folder with keys, the environment of its three processes, and the way to talk to them. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner, type Signer } from '@clustral/kernel/jwt.ts';
import { gatewayIssuer, internalAudience } from '@clustral/schemas/tokens.ts';
import type { Assignment } from '../standalone/child.ts';
import { openDataFolder } from '../standalone/data-folder.ts';
import { environments, eventStoreSocket, paths } from '../standalone/environment.ts';
import { prepareKeys } from '../standalone/first-start.ts';
import { freePorts } from '../standalone/ports.ts';
import type { ProcessName } from './plan.ts';

export type Installation = {
  readonly root: string;
  readonly dataFolder: string;
  readonly logFolder: string;
  /** Of the event store, for whoever reads the log. */
  readonly connectionString: string;
  readonly ports: { readonly controlPlane: number; readonly projections: number };
  readonly signer: Signer;
  readonly assignments: Readonly<Record<ProcessName, Assignment>>;
  release(): void;
};

/** Makes it. Nothing runs yet. */
export async function prepareInstallation(): Promise<Installation> {
  const root = mkdtempSync(join(tmpdir(), 'clustral-crash-'));
  const folder = openDataFolder(join(root, 'data'));
  await prepareKeys(folder, new Date());
  const [controlPlane = 0, tunnel = 0, projections = 0, audit = 0] = await freePorts(4);
  const ports = { gateway: 0, web: 0, identityProvider: 0, demoCluster: 0, controlPlane, tunnel, audit };
  const environment = environments({ dataFolder: folder.path, ports, demoClusterId: '' });
  const { SEED_PATH: _noSeed, ...controlPlaneEnvironment } = environment['control-plane'];
  const at = paths(folder.path);
  const signer = await createSigner({
    privateKeyPem: readFileSync(at.internalPrivate, 'utf8'),
    publicKeyPem: readFileSync(at.internalPublic, 'utf8'),
    algorithm: 'ES256',
    issuer: gatewayIssuer,
    audience: internalAudience,
  });
  return {
    root,
    dataFolder: folder.path,
    logFolder: folder.folder('logs'),
    connectionString: `unix:${eventStoreSocket(folder.path)}`,
    ports: { controlPlane, projections },
    signer,
    assignments: {
      'event-store': assignment('event-store', [{ name: 'event-store', environment: environment['event-store'] }]),
      'control-plane': assignment('control-plane', [{ name: 'control-plane', environment: controlPlaneEnvironment }]),
      projections: assignment('projections', [
        { name: 'projections', environment: { ...environment.projections, METRICS_PORT: String(projections) } },
        { name: 'audit', environment: environment.audit },
      ]),
    },
    release: () => folder.release(),
  };
}

const assignment = (name: ProcessName, parts: Assignment['parts']): Assignment => ({ name, parts, lasting: false });

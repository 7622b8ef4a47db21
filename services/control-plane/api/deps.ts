/** What the handlers of the admin API are given. */
import type { ReadModels } from '@clustral/projections/read-models.ts';
import type { Call } from '@clustral/kernel/api.ts';
import type { PolicyQueries } from '../policy.ts';
import type { Agents, Commands } from '../ports.ts';

export type ApiDeps = {
  readonly commands: Commands;
  readonly policy: PolicyQueries;
  readonly models: ReadModels;
  readonly now: () => Date;
};

export type WithAgents = ApiDeps & { readonly agents: Pick<Agents, 'presence'> };

const readYourWritesMs = 5_000;

/** The read models, once they include the position that the caller asked for. */
export const modelsFor = (deps: Pick<ApiDeps, 'models'>, { atLeastPosition }: Call): Promise<ReadModels> =>
  modelsAt(deps, atLeastPosition);

/** The read models, once they include the position. */
export async function modelsAt({ models }: Pick<ApiDeps, 'models'>, position: bigint | undefined): Promise<ReadModels> {
  if (position !== undefined) await models.waitFor(position, readYourWritesMs);
  return models;
}

/** Says where a command's facts ended. */
export function tellPosition(call: Call, { position }: { readonly position: bigint | undefined }): void {
  if (position !== undefined) call.reached(position);
}

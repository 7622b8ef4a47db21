/** What the handlers of the admin API are given. */
import type { ReadModels } from '@clustral/projections/read-models.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { positionHeader } from '@clustral/schemas/tokens.ts';
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

/** The read models, once they include the position that the caller asked for. The answer says how far they may be behind. */
export async function modelsFor(deps: Pick<ApiDeps, 'models' | 'policy'>, call: Call): Promise<ReadModels> {
  // A command is answered once the fold has it, so nobody was ever told of a later position.
  if (call.atLeastPosition !== undefined && call.atLeastPosition > deps.policy.lastPosition)
    throw new Refusal('VALIDATION_ERROR', `The log has no position ${call.atLeastPosition} yet.`, {
      field: positionHeader,
    });
  const models = await modelsAt(deps, call.atLeastPosition);
  const seconds = await models.lagSeconds();
  if (seconds !== undefined) call.lags(seconds);
  return models;
}

/** The read models, once they include the position. */
export async function modelsAt({ models }: Pick<ApiDeps, 'models'>, position: bigint | undefined): Promise<ReadModels> {
  if (position !== undefined) await models.waitFor(position, readYourWritesMs);
  return models;
}

/** Says where a command's facts ended. */
export function tellPosition(call: Call, { position }: { readonly position: bigint | undefined }): void {
  if (position !== undefined) call.reached(position);
}

/** How a request that did not come to its end is called: in the record of it, and to the client when the answer was at fault. */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';

/** What cut a request short, by the refusal that it ended with. */
export function endOf({ code, metadata }: Refusal): ProxyOutcome['end'] {
  if (metadata['reason'] === 'stalled') return 'stalled';
  if (code === 'TUNNEL_TIMEOUT') return 'timeout';
  return code === 'AGENT_NOT_CONNECTED' || code === 'TUNNEL_ERROR' ? 'agent_lost' : 'failed';
}

/** The refusal of an answer that is not whole, or that no answer can be. `how` goes on after "The API server". */
export const unfinished = (how: string): Refusal =>
  new Refusal('AGENT_ERROR', `The cluster's API server ${how}, so its answer was not passed on as whole.`);

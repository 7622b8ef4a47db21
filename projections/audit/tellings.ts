/**
 * The one table of what the audit says of each fact type. It keeps out what opens or proves something: nonces and hashes of
 * tokens, certificates, keys.
 */
import type { FactType } from '@clustral/schemas/events/catalogue.ts';
import type { RecordedFact } from '../model.ts';
import { accessTellings } from './access-tellings.ts';
import { clusterTellings } from './cluster-tellings.ts';
import type { Names } from './names.ts';
import { proxyTellings } from './proxy-tellings.ts';
import type { Telling, Tellings } from './telling.ts';

const table: Tellings<FactType> = { ...clusterTellings, ...accessTellings, ...proxyTellings };

/** What there is to tell of the fact. */
export function tellingOf(fact: RecordedFact, names: Names): Telling {
  const tell = table[fact.type] as (fact: RecordedFact, names: Names) => Telling;
  return tell(fact, names);
}

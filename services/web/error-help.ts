/**
 * What to do about every error code there is. The texts lie in `error-help/`; the catalogue says which codes exist, and a code
 * without help does not compile.
 */
import type { ErrorCode } from '@clustral/schemas/errors.ts';
import { accessHelp } from './error-help/access.ts';
import { clusterHelp } from './error-help/clusters.ts';
import type { ErrorHelp } from './error-help/entry.ts';
import { identityHelp } from './error-help/identity.ts';
import { requestHelp } from './error-help/requests.ts';

export const errorHelp: Readonly<Record<ErrorCode, ErrorHelp>> = {
  ...identityHelp,
  ...accessHelp,
  ...clusterHelp,
  ...requestHelp,
};

/** `SystemService`: what this installation is, for anyone who asks. */
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { implement, type Implementation } from '@clustral/kernel/api.ts';

/** Oldest CLI whose calls this server still understands. */
const minimumCliVersion = '0.1.0';

/** The service. `version` is that of the package. */
export function systemService({ version }: { readonly version: string }): Implementation {
  return implement(SystemService, { getVersion: () => Promise.resolve({ version, minimumCliVersion }) });
}

/** `SystemService`: what this installation is, for anyone who asks, and what changes in it, for whoever may see it. */
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { implement, type Implementation } from '@clustral/kernel/api.ts';
import { watch, type WatchDeps } from './watch/watch.ts';

/** Oldest CLI whose calls this server still understands. */
const minimumCliVersion = '0.1.0';

/** `version` is that of the package; `openApi` the description of the REST face. */
export type SystemDeps = WatchDeps & { readonly version: string; readonly openApi: JsonObject };

/** The service. */
export function systemService({ version, openApi, ...deps }: SystemDeps): Implementation {
  const document = fromJson(StructSchema, openApi);
  return implement(SystemService, {
    getVersion: () => Promise.resolve({ version, minimumCliVersion }),
    getOpenApi: () => Promise.resolve(document),
    watch: (request, call) => watch(deps, request, call),
  });
}

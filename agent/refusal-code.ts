/** Reads from an error of an RPC which code of the catalogue the control plane meant. */
import { ConnectError } from '@connectrpc/connect';
import { isErrorCode, type ErrorCode } from '@clustral/schemas/errors.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';

/** Why the control plane said no. */
export type ControlPlaneRefusal = { readonly code: ErrorCode; readonly reason: string };

/** Undefined when the error is not a "no" of the control plane's: the network, a proxy between, a bug. */
export function refusalIn(error: unknown): ControlPlaneRefusal | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const [info] = error.findDetails(ErrorInfoSchema);
  return info && isErrorCode(info.code) ? { code: info.code, reason: error.rawMessage.slice(0, 500) } : undefined;
}

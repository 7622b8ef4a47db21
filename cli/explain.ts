/**
 * What errors of others mean for the person at the terminal: the server's refusals by their code, network errors by theirs, all else as a fault of
 * this tool. The server's sentence is shown as it came. Loaded only when something failed.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { errorCatalogue, isErrorCode, Refusal, type ConnectCodeName } from '@clustral/schemas/errors.ts';
import { ErrorInfoSchema, type ErrorInfo } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import { CliError, exitCodes, failureOf, type ExitCode, type Failure } from './failure.ts';
import { networkFailure } from './network-failure.ts';

const byConnectCode: Readonly<Record<ConnectCodeName, ExitCode>> = {
  invalid_argument: exitCodes.usage,
  unauthenticated: exitCodes.signInNeeded,
  permission_denied: exitCodes.forbidden,
  not_found: exitCodes.notFound,
  already_exists: exitCodes.conflict,
  failed_precondition: exitCodes.conflict,
  aborted: exitCodes.conflict,
  resource_exhausted: exitCodes.unavailable,
  unavailable: exitCodes.unavailable,
  deadline_exceeded: exitCodes.unavailable,
  unimplemented: exitCodes.failed,
  internal: exitCodes.failed,
};

/** What any thrown value means. */
export function describeFailure(thrown: unknown): Failure {
  const foreseen = foreseenIn(thrown);
  if (foreseen !== undefined) return failureOf(foreseen);
  if (thrown instanceof Refusal)
    return {
      exitCode: byConnectCode[errorCatalogue[thrown.code].connect],
      what: thrown.message,
      code: thrown.code,
      fix: errorCatalogue[thrown.code].advice,
      ...(thrown.field === undefined ? {} : { field: thrown.field }),
    };
  if (thrown instanceof ConnectError) return describeConnectError(thrown);
  const network = networkFailure(thrown);
  if (network !== undefined) return network;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    exitCode: exitCodes.failed,
    what: `something went wrong in clustral itself: ${what}`,
    fix: 'run it again with --debug and report what it prints',
    cause: thrown,
  };
}

/** A failure of ours that connect wrapped because it was thrown while a call was prepared. */
function foreseenIn(thrown: unknown): CliError | undefined {
  for (let cause = thrown, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth += 1)
    if (cause instanceof CliError) return cause;
  return undefined;
}

function describeConnectError(error: ConnectError): Failure {
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info !== undefined) return describeRefusal(error, info);
  const network = networkFailure(error);
  if (network !== undefined) return network;
  const exitCode = byConnectCode[nameOf(error.code)] ?? exitCodes.failed;
  if (error.code === Code.DeadlineExceeded)
    return {
      exitCode,
      what: 'the server did not answer in time',
      fix: 'try again; --timeout 2m waits longer',
      cause: error,
    };
  return { exitCode, what: `the server answered: ${error.rawMessage}`, ...fixes(exitCode), cause: error };
}

function describeRefusal(error: ConnectError, info: ErrorInfo): Failure {
  // A newer server may know codes that this tool does not: the Connect code still says what kind it is.
  const known = isErrorCode(info.code) ? errorCatalogue[info.code] : undefined;
  const exitCode = byConnectCode[known?.connect ?? nameOf(error.code)] ?? exitCodes.failed;
  return {
    exitCode,
    what: error.rawMessage,
    code: info.code,
    ...(known === undefined ? {} : { fix: known.advice }),
    ...(info.help === '' ? {} : { help: info.help }),
    ...(info.correlationId === '' ? {} : { correlationId: info.correlationId }),
    ...(info.field === '' ? {} : { field: info.field }),
    cause: error,
  };
}

function fixes(exitCode: ExitCode): { fix?: string } {
  if (exitCode === exitCodes.unavailable) return { fix: 'try again in a few seconds' };
  return exitCode === exitCodes.signInNeeded ? { fix: 'clustral login' } : {};
}

const nameOf = (code: Code): ConnectCodeName =>
  (Code[code] ?? 'Internal').replace(/(?!^)([A-Z])/g, '_$1').toLowerCase() as ConnectCodeName;

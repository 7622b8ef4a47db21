/**
 * Failures in words: what, why, fix, and an exit code that scripts can rely on. The server's sentence is shown as it came; nothing is guessed
 * from text, only from codes.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { errorCatalogue, isErrorCode, Refusal, type ConnectCodeName } from '@clustral/schemas/errors.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';

/** Exit codes of every command. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  signInNeeded: 4,
  forbidden: 5,
  conflict: 6,
  unavailable: 7,
  versionSkew: 8,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure ready to be printed. */
export type Failure = {
  readonly exitCode: ExitCode;
  readonly what: string;
  readonly code?: string;
  readonly fix?: string;
  readonly help?: string;
  readonly correlationId?: string;
  readonly cause?: unknown;
};

/** A failure that this tool itself foresaw. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly fix: string | undefined;
  constructor(exitCode: ExitCode, what: string, fix?: string) {
    super(what);
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.fix = fix;
  }
}

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

/** What any thrown value means for the person at the terminal. */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof CliError)
    return {
      exitCode: thrown.exitCode,
      what: thrown.message,
      ...(thrown.fix === undefined ? {} : { fix: thrown.fix }),
    };
  if (thrown instanceof Refusal)
    return {
      exitCode: byConnectCode[errorCatalogue[thrown.code].connect],
      what: thrown.message,
      code: thrown.code,
      fix: errorCatalogue[thrown.code].advice,
    };
  if (thrown instanceof ConnectError) return describeConnectError(thrown);
  if (isUsageError(thrown)) return { exitCode: exitCodes.usage, what: usageText(thrown) };
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    exitCode: exitCodes.failed,
    what: `something went wrong in clustral itself: ${what}`,
    fix: 'run it again with --debug and report what it prints',
    cause: thrown,
  };
}

function describeConnectError(error: ConnectError): Failure {
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info !== undefined && isErrorCode(info.code)) {
    const { connect, advice } = errorCatalogue[info.code];
    return {
      exitCode: byConnectCode[connect],
      what: error.rawMessage,
      code: info.code,
      fix: advice,
      help: info.help,
      correlationId: info.correlationId,
      cause: error,
    };
  }
  const network = networkFailure(error);
  if (network !== undefined) return network;
  const name = (Code[error.code] ?? 'Internal').replace(/(?!^)([A-Z])/g, '_$1').toLowerCase() as ConnectCodeName;
  return { exitCode: byConnectCode[name] ?? exitCodes.failed, what: error.rawMessage, cause: error };
}

const networkWords: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ECONNREFUSED: ['nothing listens at the server address', 'check the address, and that Clustral is running there'],
  ENOTFOUND: ['the server name does not resolve', 'check the spelling of the address and your DNS'],
  EAI_AGAIN: ['the server name does not resolve now', 'check your network connection'],
  ECONNRESET: ['the server closed the connection', 'try again in a few seconds'],
  ETIMEDOUT: ['the server did not answer in time', 'check your network connection, then try again'],
  CERT_HAS_EXPIRED: [
    "the server's certificate has expired",
    'ask the operator to renew it, and check the clock of this machine',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    "the server's certificate is signed by a CA that this machine does not trust",
    'clustral login <host> --ca-file FILE',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    "the server's certificate is signed by nobody that this machine trusts",
    'clustral login <host> --ca-file FILE',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    "the server's certificate is signed by a CA that this machine does not trust",
    'clustral login <host> --ca-file FILE',
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    "the server's certificate is signed by a CA that this machine does not trust",
    'clustral login <host> --ca-file FILE',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "the server's certificate is for another name",
    'use the name that the certificate was made for',
  ],
};

/** A network error in words, or undefined when it is none. */
export function networkFailure(thrown: unknown): Failure | undefined {
  for (let cause: unknown = thrown, depth = 0; cause instanceof Error && depth < 6; cause = cause.cause, depth += 1) {
    const words = networkWords[(cause as NodeJS.ErrnoException).code ?? ''];
    if (words) return { exitCode: exitCodes.unavailable, what: words[0], fix: words[1], cause: thrown };
  }
  return undefined;
}

const isUsageError = (thrown: unknown): thrown is Error => thrown instanceof Error && 'clipanion' in thrown;

// clipanion adds the usage lines of every candidate below the sentence.
const usageText = (error: Error): string => (error.message.split('\n\n')[0] ?? error.message).replace(/\.$/, '').trim();

/**
 * One line in the log for every request, when it is over: for whoever operates the gateway; what the audit holds is elsewhere. It holds no
 * query, no header and no name of a person (D27), and what looks like a token in a path is cut out, so that nothing secret gets into it
 * whatever a client sends. Lines are gathered and written together, since a write for each would cost more than the line.
 */
import type { ServerResponse } from 'node:http';
import { writeLines, type Log } from '@clustral/kernel/log.ts';
import { pathOf } from './routes.ts';

export type AccessEntry = Noted & {
  /** `-` for what was no readable request. */
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** The answer did not get to its end. */
  readonly isCut: boolean;
  /** `performance.now()` when the request was there. */
  readonly startedAtMs: number;
};

export type AccessLog = {
  /** False when nothing that is noted is ever written. */
  readonly isOn: boolean;
  note(entry: AccessEntry): void;
  /** Writes what is gathered, before the process ends. */
  flush(): void;
};

export type AccessLogOptions = {
  readonly write: (lines: string) => void;
  readonly now: () => Date;
};

const gatherMs = 100;
const gatherBytes = 64 * 1024;
const longestPath = 512;

/** The access log, or one that writes nothing when the log does not go down to `info`. */
export function accessLogBeside(log: Log): AccessLog {
  if (!log.isLevelEnabled('info')) return { isOn: false, note: () => undefined, flush: () => undefined };
  return createAccessLog({
    write: (lines) => writeLines(log, lines),
    now: () => new Date(),
  });
}

/** An access log that gathers lines for a tenth of a second. */
export function createAccessLog({ write, now }: AccessLogOptions): AccessLog {
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const lines = gathered;
    gathered = '';
    if (lines !== '') write(lines);
  };
  return {
    isOn: true,
    flush,
    note(entry) {
      gathered += lineOf(entry, now(), performance.now() - entry.startedAtMs);
      if (gathered.length >= gatherBytes) flush();
      else timer ??= setTimeout(flush, gatherMs).unref();
    },
  };
}

/** What is known of a request by the time it is over. */
export type Noted = {
  readonly sourceAddress: string;
  /** Nothing for a request that the router could not read. */
  correlationId: string | undefined;
  /** Of the credential that was recognised. */
  readonly credentialId: string | null;
};

/** Notes a request when its answer is over, with what `noted` says by then. */
export function noteWhenOver(access: AccessLog, response: ServerResponse, noted: Noted): void {
  if (!access.isOn) return;
  const { req: request } = response;
  const startedAtMs = performance.now();
  // Not `once`, which costs more; it comes once by itself.
  response.on('close', () => {
    const { sourceAddress, correlationId, credentialId } = noted;
    access.note({
      sourceAddress,
      correlationId,
      credentialId,
      method: request.method ?? '-',
      target: request.url ?? '-',
      startedAtMs,
      status: response.headersSent ? response.statusCode : 0,
      // A stream that left HTTP has no end of its own.
      isCut: !response.writableFinished && response.statusCode !== 101,
    });
  });
}

// Written by hand: the fields are known, and this is done for every request.
function lineOf(entry: AccessEntry, time: Date, tookMs: number): string {
  const { method, status, isCut, correlationId, credentialId } = entry;
  const correlation = correlationId === undefined ? '' : `,"correlationId":${JSON.stringify(correlationId)}`;
  const credential = credentialId === null ? '' : `,"credentialId":${JSON.stringify(credentialId)}`;
  return (
    `{"level":"info","time":"${time.toISOString()}","service":"gateway","msg":"request","method":${JSON.stringify(method)},` +
    `"path":${JSON.stringify(loggedPath(entry.target))},"status":${status}${isCut ? ',"cut":true' : ''},"ms":${Math.round(tookMs * 10) / 10},` +
    `"from":"${entry.sourceAddress}"${correlation}${credential}}\n`
  );
}

/** A JWT, whole or in part, and our own bootstrap tokens: nobody should put one into a path, and somebody will. */
const tokens = /eyJ[\w-]{8,}(?:\.[\w-]*)*|clustral1\.[\w.-]+/g;

function loggedPath(target: string): string {
  const path = pathOf(target);
  return (path.length > 10 ? path.replace(tokens, '[removed]') : path).slice(0, longestPath);
}

/**
 * An allowed request as it is handed to a lane: what the client sent of it, whom it is made as, and for how long. It adds
 * nothing of its own but the protocol that the client asked for, which no hop-by-hop header may carry past here.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestId } from '@clustral/schemas/ids.ts';
import { announcesBody } from '@clustral/kernel/http-server.ts';
import type { LaneCall } from '../ports.ts';
import type { Admitted } from './admission.ts';

/** A connection whose client asked to leave HTTP, and for what, in its own spelling. */
export type Switching = { readonly protocol: string; readonly socket: Socket };

export type CallParts = {
  readonly request: IncomingMessage;
  readonly admitted: Admitted;
  readonly requestId: RequestId;
  readonly switching: Switching | undefined;
  readonly headTimeoutMs: number;
  readonly now: Date;
};

/** The call. Of a switch nothing follows the head before the 101; then both directions stay open until each has ended. */
export function laneCall({ request, admitted, requestId, switching, headTimeoutMs, now }: CallParts): LaneCall {
  const { clusterId, target, headers, impersonation } = admitted;
  return {
    clusterId,
    method: request.method ?? '',
    target,
    headers: switching === undefined ? headers : [...headers, 'upgrade', switching.protocol],
    impersonateUser: impersonation.user,
    impersonateGroups: impersonation.groups,
    requestId,
    headTimeoutMs,
    lifetimeMs: Math.max(1, impersonation.notAfter.getTime() - now.getTime()),
    notAfter: impersonation.notAfter,
    upgrade: switching !== undefined,
    bodyless: switching === undefined && !announcesBody(request),
  };
}

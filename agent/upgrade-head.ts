/**
 * What is said on both sides when a connection is to leave HTTP (exec, attach, port-forward): which requests may ask for it, how they are
 * written, and which answers are believed. The rule it lives by: the agent and the API server must agree at which byte HTTP ends, since
 * what the one takes for the person's bytes and the other for a request would be made as the agent itself (UP-01).
 */
import type { RequestHead } from '@clustral/schemas/lane-codec.ts';
import { requestHeaders } from './request-headers.ts';
import { replyHeaders } from './upstream.ts';

/** A request that asks to switch protocols, ready to be sent: it has no body. All text holds one char per byte. */
export type UpgradeCall = {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value; names in lower case. */
  readonly headers: readonly string[];
  readonly protocol: string;
};

/** What API servers switch to. HTTP/2 in clear text (`h2c`) is a switch too, and would let a person send requests of their own. */
const carried: ReadonlySet<string> = new Set(['websocket', 'spdy/3.1']);

/** Why an upgrade is not asked for; undefined when it can be. The head has no other problem. */
export function upgradeProblem({ method, headers }: RequestHead): string | undefined {
  if (method !== 'GET' && method !== 'POST')
    return 'The request asks for an upgrade by another method than GET or POST.';
  const [protocol, ...more] = valuesOf(headers, 'upgrade');
  if (protocol === undefined || more.length > 0 || !carried.has(protocol.toLowerCase())) {
    return 'The request asks for an upgrade to another protocol than WebSocket or SPDY/3.1.';
  }
  if (valuesOf(headers, 'content-length').some((length) => length !== '0')) {
    return 'The request asks for an upgrade and announces a body.';
  }
  return undefined;
}

/** The request as it is sent. The head must have no problem of either kind. */
export function upgradeCall(head: RequestHead, agentToken: string): UpgradeCall {
  const { method, target } = head;
  const [protocol = ''] = valuesOf(head.headers, 'upgrade');
  const headers = without(requestHeaders(head, agentToken), 'content-length');
  if (method === 'POST') headers.push('content-length', '0');
  headers.push('connection', 'Upgrade', 'upgrade', protocol);
  return { method, target, headers, protocol };
}

/** The headers of a 101 for the tunnel, with its `upgrade` line; undefined when it switches to something else than was asked for. */
export function switchedHeaders(raw: readonly string[], asked: string): readonly string[] | undefined {
  const [protocol, ...more] = valuesOf(raw, 'upgrade');
  if (protocol === undefined || more.length > 0 || protocol.toLowerCase() !== asked.toLowerCase()) return undefined;
  // What follows has no length, whatever the head says (RFC 9110, section 8.6).
  return [...without(replyHeaders(raw), 'content-length'), 'Upgrade', protocol];
}

/** Why an answer other than 101 is not passed on; undefined when it is. */
export function refusalProblem(status: number, target: string): string | undefined {
  // Followed by the person's client, it would take the stream to another place (PX-12).
  if (status >= 300 && status <= 399)
    return 'answered an upgrade with a redirect, which is not followed and not passed on.';
  // A service behind the API server has its own, and the control plane marks them (D37).
  if (status !== 401 || /\/proxy(?:\/|\?|$)/.test(target)) return undefined;
  return "does not accept the agent's own credentials. Your sign-in is fine; look at the agent's log and its service account.";
}

function valuesOf(lines: readonly string[], name: string): readonly string[] {
  return lines.filter((_, at) => at % 2 === 1 && lines[at - 1]?.toLowerCase() === name).map((value) => value.trim());
}

function without(lines: readonly string[], name: string): string[] {
  return lines.filter((_, at) => lines[at - (at % 2)]?.toLowerCase() !== name);
}

/** Whom a request of a browser is made for: the session of its cookie, where it comes from, and the token that stands for both. */
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { sessionCookie } from './cookies.ts';
import type { Behalf } from './gateway.ts';

/** The id of a session as the browser sent it. */
export const sessionIdOf = (request: FastifyRequest): string | undefined => request.cookies[sessionCookie];

/** The request's part of a call to the gateway. `ip` is what the trusted proxies say (D31). */
export function behalfOf(request: FastifyRequest, accessToken: string): Behalf {
  const { ip, headers, correlation } = request;
  return {
    accessToken,
    sourceAddress: isIP(ip) === 0 ? (request.socket.remoteAddress ?? 'unknown') : ip,
    userAgent: headers['user-agent'],
    correlation,
  };
}

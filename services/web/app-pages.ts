/**
 * The dashboard as files: every page of it is one `index.html`, whose assets have a hash in their names. Which path is a page is said
 * here, so that an address that is none stays a 404.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fastifyStatic } from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { pageHeaders } from './page.ts';
import { notBuiltPage } from './pages.ts';

/** First parts of the paths of pages; what comes behind is the dashboard's to understand. */
const places = ['home', 'clusters', 'access', 'people', 'roles', 'audit', 'settings', 'signed-in'] as const;

const appPage = new RegExp(`^/(?:${places.join('|')})(?:/|$)`);

/** True for the path of a page of the dashboard. */
export const isAppPage = (path: string): boolean => appPage.test(path);

/** Only what this origin serves, nothing inline, nothing evaluated, no frame around it (UI-02). */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** A year: a file with another content has another name. */
const assetMaxAgeMs = 31_536_000_000;

/** Registers the pages and the assets of the build in `folder`; a build that comes later is seen without a restart. */
export async function registerAppPages(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    preCompressed: true,
    immutable: true,
    maxAge: assetMaxAgeMs,
    index: false,
    dotfiles: 'ignore',
    suppressWarning: true,
  });
  for (const place of places) {
    app.get(`/${place}`, (_request, reply) => sendApp(reply, folder));
    app.get(`/${place}/*`, (_request, reply) => sendApp(reply, folder));
  }
}

function sendApp(reply: FastifyReply, folder: string): FastifyReply {
  if (!existsSync(join(folder, 'index.html'))) return reply.status(503).headers(pageHeaders).send(notBuiltPage());
  return reply
    .header('content-security-policy', policy)
    .sendFile('index.html', folder, { cacheControl: false, maxAge: 0, immutable: false });
}

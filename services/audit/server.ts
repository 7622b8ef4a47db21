/** The audit service's HTTP server: the admin API's audit methods in their two faces, and health. */
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify';
import type { FastifyInstance } from 'fastify';
import type { ReadModels } from '@clustral/projections/read-models.ts';
import type { ApiOptions } from '@clustral/kernel/api-call.ts';
import { connectRoutes } from '@clustral/kernel/api-connect.ts';
import { registerRest } from '@clustral/kernel/api-rest.ts';
import { buildHttpServer } from '@clustral/kernel/http-server.ts';
import { auditService } from './audit-service.ts';

/** A search is a few hundred bytes. */
const largestMessageBytes = 64 * 1024;

export type ServerOptions = { readonly api: ApiOptions; readonly models: ReadModels };

/** The server. Listening is the caller's. */
export async function buildServer({ api, models }: ServerOptions): Promise<FastifyInstance> {
  const app = buildHttpServer({
    log: api.log,
    docsBaseUrl: api.docsBaseUrl,
    bodyLimit: largestMessageBytes,
    notReady: () => notReady(models),
  });
  const implementations = [auditService(models)];
  registerRest(app, implementations, api);
  await app.register(fastifyConnectPlugin, {
    routes: connectRoutes(implementations, api),
    grpc: false,
    grpcWeb: false,
    acceptCompression: [],
    readMaxBytes: largestMessageBytes,
  });
  return app;
}

/** An audit whose projection has stopped at a fact is ready: it still answers for what came before. */
async function notReady(models: ReadModels): Promise<string | undefined> {
  return models.isBuilt() ? undefined : 'what is shown is still being built from the log';
}

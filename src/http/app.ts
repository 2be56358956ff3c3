import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import { addApprovalRoutes } from './approvals.ts';
import { requirePermissions } from './auth.ts';
import { addCancelRoutes } from './cancel.ts';
import { addDeploymentRoutes } from './deployments.ts';
import type { AppDependencies } from './dependencies.ts';
import { addDriftRoutes } from './drift.ts';
import { addEnvironmentRoutes } from './environments.ts';
import { answerError, answerErrorsAsProblems } from './errors.ts';
import { addGateRoutes } from './gates.ts';
import { addHealthRoutes } from './health.ts';
import { addInboxRoutes } from './inbox.ts';
import { describeApi } from './openapi.ts';
import { addReleaseRoutes } from './releases.ts';
import { addRepositoryRoutes } from './repositories.ts';
import { addRollbackRoute } from './rollback.ts';
import { createWake } from './wake.ts';
import { addWebhookRoutes } from './webhooks.ts';
import { addWorkerRoutes } from './worker.ts';

/** Builds the HTTP side of the service. It never listens: whoever calls it decides where. */
export async function createApp(deps: AppDependencies): Promise<FastifyInstance> {
  const app = Fastify({
    ...(deps.logger ? { loggerInstance: deps.logger } : {}),
    ...LIMITS,
    trustProxy: deps.trustProxy ?? false,
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply);
    },
    genReqId: () => randomUUID(),
    // Failures are logged where they become answers.
    logController: new LogController({ disableRequestLogging: true }),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.maxHeadersCount = 100;
  app.server.maxConnections = 5_000;
  app.addHook('onRequest', async (_request, reply) => {
    // What is stored came from elsewhere: no browser may take a log for a page.
    reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  });
  answerErrorsAsProblems(app);
  requirePermissions(app, deps.store.tokens);
  await describeApi(app);
  addHealthRoutes(app, deps.checks);
  await app.register((scope, _options, done) => {
    addWebhookRoutes(scope, deps);
    done();
  });
  addReleaseRoutes(app, deps);
  addRepositoryRoutes(app, deps);
  addDeploymentRoutes(app, deps.store, deps.repositories);
  addCancelRoutes(app, deps);
  const wake = createWake(deps, app.log);
  addEnvironmentRoutes(app, deps.store, wake);
  addRollbackRoute(app, deps.store, wake);
  addDriftRoutes(app, deps.store, deps.orchestrator);
  addApprovalRoutes(app, deps.store, wake);
  addGateRoutes(app, deps.store, wake);
  addInboxRoutes(app, deps.store.inboxEntries);
  addWorkerRoutes(app, deps.store);
  return app;
}

/** Fastify's and Node's defaults let a client hold a connection or send a body for very long. */
const LIMITS = {
  bodyLimit: 1_048_576,
  requestTimeout: 15_000,
  connectionTimeout: 20_000,
  keepAliveTimeout: 65_000,
  maxRequestsPerSocket: 1_000,
  forceCloseConnections: 'idle',
  return503OnClosing: true,
  onProtoPoisoning: 'error',
  onConstructorPoisoning: 'error',
  requestIdHeader: false,
  http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 },
  ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false } },
  routerOptions: { maxParamLength: 100, allowUnsafeRegex: false },
} as const;

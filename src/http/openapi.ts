import swagger from '@fastify/swagger';
import { agreementSchemas } from '../contract/api/agreement.ts';
import {
  approvalRequestPageSchema,
  approvalRequestSchema,
} from '../contract/api/approval-request.ts';
import { driftSchema } from '../contract/api/drift.ts';
import { deploymentSchemas } from '../contract/api/deployment.ts';
import { diffSchemas } from '../contract/api/diff.ts';
import { whySchemas } from '../contract/api/why.ts';
import { gateSchemas } from '../contract/api/gates.ts';
import { environmentSchemas } from '../contract/api/environment.ts';
import { healthSchemas } from '../contract/api/health.ts';
import { inboxEntrySchema, inboxPageSchema } from '../contract/api/inbox.ts';
import { logLineSchema, logPageSchema } from '../contract/api/log.ts';
import { problemSchema } from '../contract/api/problem.ts';
import {
  createReleaseSchema,
  releasePageSchema,
  releaseSchema,
  rerunReleaseSchema,
} from '../contract/api/release.ts';
import { repositoryPageSchema, repositorySchema } from '../contract/api/repository.ts';
import { webhookAnswerSchema } from '../contract/api/webhook.ts';
import { workerHealthSchema, workerLogSchema, workerPlanSchema } from '../contract/api/worker.ts';
import type { App } from './server.ts';

const NAMED_SCHEMAS = [
  ...deploymentSchemas,
  ...diffSchemas,
  ...agreementSchemas,
  driftSchema,
  ...gateSchemas,
  approvalRequestSchema,
  approvalRequestPageSchema,
  ...whySchemas,
  ...healthSchemas,
  ...environmentSchemas,
  inboxEntrySchema,
  inboxPageSchema,
  logLineSchema,
  logPageSchema,
  problemSchema,
  createReleaseSchema,
  releasePageSchema,
  releaseSchema,
  rerunReleaseSchema,
  repositoryPageSchema,
  repositorySchema,
  webhookAnswerSchema,
  workerHealthSchema,
  workerLogSchema,
  workerPlanSchema,
];

/** Describes the API from the schemas that check it. Call it before the routes are added. */
export async function describeApi(app: App): Promise<void> {
  for (const schema of NAMED_SCHEMAS) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Slipway', version: '1', description: 'Releases helmfile repositories.' },
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'slp_…' } },
      },
      security: [{ token: [] }],
    },
    // Otherwise the schemas are called def-0, def-1, …
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `Schema${index}`,
    },
  });
  app.get('/api/v1/openapi.json', { config: { permission: 'token' }, schema: { hide: true } }, () =>
    app.swagger(),
  );
}

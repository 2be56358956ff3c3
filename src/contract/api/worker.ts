import { Type } from 'typebox';
import { LOG_STEPS } from '../log-sink.ts';
import { planDiffSchema } from './diff.ts';
import { serviceHealthSchema } from './health.ts';
import { named, ref, timestamp } from './schema.ts';

/** What the worker of a cluster sends. Each may come twice: the server keeps it once. */

const id = Type.String({ minLength: 1, maxLength: 100 });

export const workerLogSchema = named(
  'WorkerLog',
  Type.Object(
    {
      deploymentId: id,
      attempt: Type.Integer({ minimum: 0, maximum: 1_000 }),
      step: Type.Enum(LOG_STEPS),
      stream: Type.String({
        description: 'Names the writer of these lines; within one, lines are numbered.',
        minLength: 1,
        maxLength: 100,
      }),
      first: Type.Integer({
        description: 'How many lines the writer wrote before these.',
        minimum: 0,
        maximum: 1_000_000_000,
      }),
      at: timestamp,
      lines: Type.Array(Type.String(), { minItems: 1, maxItems: 50_000 }),
    },
    { additionalProperties: false },
  ),
);

export const workerPlanSchema = named(
  'WorkerPlan',
  Type.Object(
    {
      deploymentId: id,
      digest: Type.String({ minLength: 1, maxLength: 200 }),
      diff: ref(planDiffSchema),
    },
    { additionalProperties: false },
  ),
);

export const workerHealthSchema = named(
  'WorkerHealth',
  Type.Object(
    {
      deploymentId: id,
      at: timestamp,
      services: Type.Array(ref(serviceHealthSchema), { maxItems: 1_000 }),
      partial: Type.Optional(
        Type.Boolean({ description: 'Only these workloads of the services were looked at.' }),
      ),
    },
    { additionalProperties: false },
  ),
);

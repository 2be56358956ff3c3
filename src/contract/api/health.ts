import { Type } from 'typebox';
import { DEPLOYMENT_PHASES } from '../../domain/phases.ts';
import { HEALTH_STATES } from '../../domain/health.ts';
import { named, nullable, ref, timestamp } from './schema.ts';

/** How well what a deployment left runs, as it was seen last. */

const state = Type.Enum(HEALTH_STATES);

const workloadHealthSchema = named(
  'WorkloadHealth',
  Type.Object({
    workload: Type.String({ description: 'Such as `Deployment/api`.' }),
    state,
    note: Type.String({ description: 'How far it is, or what is wrong.' }),
  }),
);

export const serviceHealthSchema = named(
  'ServiceHealth',
  Type.Object({
    service: Type.String(),
    state,
    note: Type.String(),
    workloads: Type.Array(ref(workloadHealthSchema)),
  }),
);

/** The answer of GET /deployments/:id/health. */
export const deploymentHealthSchema = named(
  'DeploymentHealth',
  Type.Object({
    deploymentId: Type.String(),
    number: Type.Integer(),
    phase: Type.Enum(DEPLOYMENT_PHASES),
    health: nullable(
      Type.Object(
        {
          state: Type.Enum(HEALTH_STATES, { description: 'The worst of its services.' }),
          at: Type.String({ ...timestamp, description: 'When a worker looked last.' }),
          services: Type.Array(ref(serviceHealthSchema), {
            description: 'Those that the deployment changed.',
          }),
        },
        { description: 'null: nothing was looked at, because nothing was changed yet.' },
      ),
    ),
  }),
);

export const healthSchemas = [workloadHealthSchema, serviceHealthSchema, deploymentHealthSchema];

import { Type } from 'typebox';
import { DEPLOYMENT_PHASES } from '../../domain/phases.ts';
import { named, nullable, ref } from './schema.ts';

/** Why a deployment is not what it should be. */

const explanationSchema = named(
  'Explanation',
  Type.Object({
    code: Type.String({ description: 'From a closed list.' }),
    sentence: Type.String(),
    owner: Type.String({ description: 'Who most likely has to act.' }),
    service: Type.Optional(Type.String()),
    workload: Type.Optional(Type.String()),
    pod: Type.Optional(Type.String()),
    container: Type.Optional(Type.String()),
    image: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String({ description: 'The word of Kubernetes or Helm.' })),
    evidence: Type.Array(Type.String(), {
      description: 'Events, error output, last lines of the log: at most 20 lines.',
    }),
    changed: Type.Array(Type.String(), {
      description: 'What this deployment changed in the service; values of secrets are hidden.',
    }),
    actions: Type.Array(Type.String(), { description: 'What to do next, the most likely first.' }),
  }),
);

export const whySchema = named(
  'Why',
  Type.Object({
    deploymentId: Type.String(),
    number: Type.Integer(),
    phase: Type.Enum(DEPLOYMENT_PHASES),
    attempt: Type.Integer(),
    why: nullable(ref(explanationSchema)),
  }),
);

export const whySchemas = [explanationSchema, whySchema];

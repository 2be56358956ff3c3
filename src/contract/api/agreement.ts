import { Type, type Static } from 'typebox';
import { AGREEMENT_RESULTS } from '../../domain/observe/agreement.ts';
import { planDiffSchema } from './diff.ts';
import { deploymentSummarySchema } from './deployment.ts';
import { named, nullable, ref, timestamp } from './schema.ts';

/** What another pipeline did, beside what was planned. */

const serviceAgreementSchema = named(
  'ServiceAgreement',
  Type.Object({
    service: Type.String(),
    result: Type.Enum(AGREEMENT_RESULTS, {
      description:
        'agreed; not-done: planned, and they left it alone; not-planned: they changed it, and it was not planned; different: both changed it, to something else.',
    }),
    note: Type.String(),
  }),
);

const verdict = Type.Enum(['agreed', 'disagreed', 'unchanged', 'not-compared'], {
  description:
    'unchanged: nothing was planned, and they changed nothing. not-compared: it ended before, as the deployment’s cause says, or is on its way.',
});

const services = Type.Array(ref(serviceAgreementSchema), {
  description: 'Those that were planned, or that they changed.',
});

const observedDeploymentSchema = named(
  'ObservedDeployment',
  Type.Object({ deployment: ref(deploymentSummarySchema), verdict, services }),
);

/** The agreement of one deployment with the other pipeline. */
export const agreementSchema = named(
  'Agreement',
  Type.Object({
    deploymentId: Type.String(),
    verdict,
    at: nullable(timestamp),
    services,
    diff: nullable(ref(planDiffSchema)),
  }),
);

/** How often both agreed in an environment of late. */
export const agreementReportSchema = named(
  'AgreementReport',
  Type.Object({
    repository: Type.String(),
    environment: Type.String(),
    agreed: Type.Integer(),
    disagreed: Type.Integer(),
    unchanged: Type.Integer(),
    notCompared: Type.Integer(),
    items: Type.Array(ref(observedDeploymentSchema), { description: 'Newest first.' }),
  }),
);

export const agreementSchemas = [
  serviceAgreementSchema,
  observedDeploymentSchema,
  agreementSchema,
  agreementReportSchema,
];

export type Agreement = Static<typeof agreementSchema>;
export type AgreementReport = Static<typeof agreementReportSchema>;

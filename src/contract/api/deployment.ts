import { Type, type Static } from 'typebox';
import { WAITING_REASONS } from '../../domain/gates/facts.ts';
import { DEPLOYMENT_KINDS } from '../../domain/overtaking.ts';
import { DEPLOYMENT_PHASES } from '../../domain/phases.ts';
import { approvalSchema } from './gates.ts';
import { commitId, named, nullable, ref, timestamp } from './schema.ts';

/** One release in one environment. */

export const causeSchema = named(
  'Cause',
  Type.Object({
    code: Type.String({ description: 'From a closed list.' }),
    sentence: Type.String(),
    service: Type.Optional(Type.String()),
    workload: Type.Optional(Type.String()),
    container: Type.Optional(Type.String()),
    image: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String({ description: 'The word of Kubernetes or Helm.' })),
    pod: Type.Optional(Type.String()),
    evidence: Type.Optional(Type.Array(Type.String())),
    actions: Type.Optional(Type.Array(Type.String())),
  }),
);

const waitingSchema = named(
  'Waiting',
  Type.Object(
    {
      reason: Type.Enum(WAITING_REASONS),
      sentence: Type.String({ description: 'Who or what, and until when.' }),
      since: Type.Optional(timestamp),
      until: Type.Optional(timestamp),
      digest: Type.Optional(Type.String({ description: 'Of the plan that must be approved.' })),
      groups: Type.Optional(Type.Array(Type.String(), { description: 'Who may approve it.' })),
      count: Type.Optional(Type.Integer({ description: 'How many of them must.' })),
    },
    { description: 'Why the deployment does not go on.' },
  ),
);

export const modeSchema = named(
  'Mode',
  Type.Enum(['deploy', 'observe'], {
    description: 'observe: plans and applies nothing, and looks what another pipeline does.',
  }),
);

export const deploymentSummarySchema = named(
  'DeploymentSummary',
  Type.Object({
    id: Type.String(),
    number: Type.Integer(),
    releaseId: Type.String(),
    releaseNumber: Type.Integer(),
    repository: Type.String(),
    environment: Type.String(),
    cluster: Type.String(),
    namespace: Type.String(),
    commit: commitId,
    title: nullable(Type.String({ description: 'First line of the commit’s message.' })),
    run: Type.Integer({ description: '0 for the merge, counted up by each rerun and rollback.' }),
    kind: Type.Enum(DEPLOYMENT_KINDS, {
      description:
        'manual: a person asked; rollback: a person asked for this release, which was good here before, again.',
    }),
    mode: ref(modeSchema),
    phase: Type.Enum(DEPLOYMENT_PHASES),
    note: Type.String({ description: 'What it does or waits for.' }),
    cause: nullable(ref(causeSchema)),
    attempt: Type.Integer({ description: '0 before the first attempt.' }),
    retryAt: nullable(timestamp),
    waiting: nullable(ref(waitingSchema)),
    createdAt: timestamp,
    startedAt: nullable(timestamp),
    endedAt: nullable(timestamp),
    durationMs: nullable(Type.Integer({ description: 'From start to end.' })),
  }),
);

const attemptSchema = named(
  'Attempt',
  Type.Object({
    number: Type.Integer(),
    startedAt: timestamp,
    endedAt: nullable(timestamp),
    cause: nullable(ref(causeSchema)),
  }),
);

export const planSummarySchema = named(
  'PlanSummary',
  Type.Object({
    digest: Type.String(),
    createdAt: timestamp,
    services: Type.Array(
      Type.Object({
        name: Type.String(),
        chart: Type.String(),
        chartVersion: Type.Optional(Type.String()),
        action: Type.Optional(Type.Enum(['install', 'upgrade', 'uninstall'])),
        reason: Type.Optional(Type.String({ description: 'Why it is planned.' })),
      }),
    ),
    restart: Type.Array(Type.String(), {
      description: 'Workloads that are restarted after the apply.',
    }),
  }),
);

const askedForSchema = named(
  'AskedFor',
  Type.Object(
    { by: Type.String(), reason: Type.String({ description: 'May be empty.' }), at: timestamp },
    { description: 'Who asked for it and why; null where it came of a merge.' },
  ),
);

const queueSchema = named(
  'Queue',
  Type.Object(
    {
      lane: Type.String({ description: 'Its cluster and namespace.' }),
      place: Type.Integer({
        description:
          'In the lane, with what runs there; 0 while environments before it are under way.',
      }),
      behind: Type.Array(
        Type.Object({
          id: Type.String(),
          number: Type.Integer(),
          environment: Type.String(),
          phase: Type.Enum(DEPLOYMENT_PHASES),
        }),
        { description: 'What goes before it, the first one first.' },
      ),
      sentence: Type.String(),
    },
    { description: 'Of a queued deployment that was asked for by GET: what it waits for.' },
  ),
);

export const deploymentSchema = named(
  'Deployment',
  Type.Object({
    ...deploymentSummarySchema.properties,
    queue: Type.Optional(ref(queueSchema)),
    asked: nullable(ref(askedForSchema)),
    plan: nullable(ref(planSummarySchema)),
    approvals: Type.Array(ref(approvalSchema)),
    attempts: Type.Array(ref(attemptSchema)),
  }),
);

export const deploymentSchemas = [
  modeSchema,
  causeSchema,
  waitingSchema,
  deploymentSummarySchema,
  attemptSchema,
  planSummarySchema,
  askedForSchema,
  queueSchema,
  deploymentSchema,
];

export type DeploymentSummary = Static<typeof deploymentSummarySchema>;
export type AskedFor = Static<typeof askedForSchema>;
export type Deployment = Static<typeof deploymentSchema>;

import { Type, type Static } from 'typebox';
import { deploymentSummarySchema } from './deployment.ts';
import { approvalSchema } from './gates.ts';
import { named, nullable, page, ref, timestamp } from './schema.ts';

/** A plan that waits until enough people have approved it. */
export const approvalRequestSchema = named(
  'ApprovalRequest',
  Type.Object({
    deployment: ref(deploymentSummarySchema),
    plan: Type.Object(
      {
        digest: Type.String({ description: 'What POST /deployments/:id/approve asks for.' }),
        install: Type.Integer(),
        upgrade: Type.Integer(),
        uninstall: Type.Integer(),
        restart: Type.Integer({ description: 'Workloads that are restarted afterwards.' }),
      },
      { description: 'How many services it changes, and how.' },
    ),
    groups: Type.Array(Type.String(), { description: 'Who is asked; empty means any person.' }),
    required: Type.Integer({ description: 'How many of them must approve.' }),
    approvals: Type.Array(ref(approvalSchema), { description: 'Those that count.' }),
    missing: Type.Integer(),
    since: nullable(timestamp),
    expiresAt: nullable(timestamp),
    you: Type.Object(
      {
        mayApprove: Type.Boolean(),
        why: nullable(Type.String({ description: 'Why not; null where you may.' })),
      },
      { description: 'Whoever asks.' },
    ),
  }),
);

export const approvalRequestPageSchema = page('ApprovalRequestPage', ref(approvalRequestSchema));

export type ApprovalRequest = Static<typeof approvalRequestSchema>;
export type ApprovalRequestPage = Static<typeof approvalRequestPageSchema>;

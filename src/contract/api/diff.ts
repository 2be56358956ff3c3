import { Type, type Static } from 'typebox';
import { CHANGES } from '../../domain/diff/compare.ts';
import type { PlanDiff } from '../../domain/diff/plan-diff.ts';
import { RISKS } from '../../domain/diff/risk.ts';
import { planSummarySchema } from './deployment.ts';
import { named, nullable, ref } from './schema.ts';

/** What a deployment changes, resource by resource and field by field. */

const isTrue = Type.Literal(true);
const anyValue = Type.Unknown({ description: 'As parsed; hidden values are “(hidden)”.' });

const fieldDiffSchema = named(
  'FieldDiff',
  Type.Object({
    pointer: Type.String({
      description:
        'JSON Pointer; an entry of a list of named things stands under its key instead of its position.',
    }),
    before: Type.Optional(anyValue),
    after: Type.Optional(anyValue),
    reordered: Type.Optional(isTrue),
    noise: Type.Optional(isTrue),
    hidden: Type.Optional(isTrue),
    shortened: Type.Optional(isTrue),
  }),
);

const resourceDiffSchema = named(
  'ResourceDiff',
  Type.Object({
    change: Type.Enum(CHANGES),
    group: Type.String({ description: 'Empty for the core group.' }),
    kind: Type.String(),
    namespace: Type.String(),
    name: Type.String(),
    origin: Type.Optional(Type.String({ description: 'The template that it came from.' })),
    risk: Type.Optional(Type.Enum(RISKS)),
    noise: Type.Optional(isTrue),
    hidden: Type.Optional(isTrue),
    fields: Type.Array(ref(fieldDiffSchema), {
      description: 'Empty for a resource that is new or gone as a whole.',
    }),
    text: Type.String({ description: 'Hunks of a unified diff of the resource as YAML.' }),
    truncated: Type.Optional(Type.Object({ fields: Type.Integer(), lines: Type.Integer() })),
  }),
);

export const planDiffSchema = named(
  'PlanDiff',
  Type.Object({
    services: Type.Array(
      Type.Object({ service: Type.String(), resources: Type.Array(ref(resourceDiffSchema)) }),
    ),
    truncated: Type.Object(
      { resources: Type.Integer(), fields: Type.Integer(), lines: Type.Integer() },
      { description: 'What was left out to stay within 256 KiB.' },
    ),
  }),
);

export const planSchema = named(
  'Plan',
  Type.Object({
    ...planSummarySchema.properties,
    diff: nullable(ref(planDiffSchema)),
  }),
);

export const diffSchemas = [fieldDiffSchema, resourceDiffSchema, planDiffSchema, planSchema];

/** The plan of a deployment with what it changes; null where the plan was made without comparing. */
export type Plan = Omit<Static<typeof planSchema>, 'diff'> & { diff: PlanDiff | null };

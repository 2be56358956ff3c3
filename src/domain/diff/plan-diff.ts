import type { Change } from './compare.ts';
import type { Json, ResourceId } from './resource.ts';
import type { Risk } from './risk.ts';

/** What a plan changes, as it is stored and shown. Holds no secrets, and is bounded in size. */
export interface PlanDiff {
  /** Those that change, by name. */
  services: ServiceDiff[];
  /** What was left out to stay within the size. */
  truncated: { resources: number; fields: number; lines: number };
}

export interface ServiceDiff {
  service: string;
  /** In the order in which people read them; none: nothing of the service changes. */
  resources: ResourceDiff[];
}

export interface ResourceDiff extends ResourceId {
  change: Change;
  /** The template that it came from. */
  origin?: string;
  risk?: Risk;
  /** All of its fields are noise. */
  noise?: true;
  /** Some of its values are hidden. */
  hidden?: true;
  /** Empty for a resource that is new or gone as a whole: its text shows it. */
  fields: FieldDiff[];
  /** The hunks of a unified diff of the resource as YAML. */
  text: string;
  /** What was left out of it to stay within the size. */
  truncated?: { fields: number; lines: number };
}

/** A field that differs; `before` and `after` are absent where it is new or gone. */
export interface FieldDiff {
  /** An entry of a list of named things stands under its key. */
  pointer: string;
  before?: Json;
  after?: Json;
  /** Same entries in another order; `before` and `after` are their keys. */
  reordered?: true;
  /** It only repeats what stands elsewhere, such as the chart's version: folded. */
  noise?: true;
  /** A value, or some of it, is hidden. */
  hidden?: true;
  /** A value was too long to show. */
  shortened?: true;
}

import type { DependencyFact } from './dependency.ts';

/** What the gates are judged by; times are ISO 8601. */

/** Why a deployment waits, in the order in which the gates are asked. */
export const WAITING_REASONS = [
  'dependency',
  'hold',
  'stop',
  'freeze',
  'worker',
  'approval',
] as const;

type WaitingReason = (typeof WAITING_REASONS)[number];

/** The gates that a person may let one deployment pass, with a reason. */
export const OVERRIDABLE_GATES = ['dependency', 'stop', 'freeze'] as const;
export type OverridableGate = (typeof OVERRIDABLE_GATES)[number];

/** Why a deployment waits, for people and programs. */
export interface Waiting {
  reason: WaitingReason;
  /** One line: who or what, and until when. */
  sentence: string;
  /** Since when, where no table says so. */
  since?: string;
  /** When it changes by itself; absent where only a person or another deployment changes it. */
  until?: string;
  /** The plan that waits for approval. */
  digest?: string;
  /** Who may approve; empty means any person. */
  groups?: string[];
  /** How many of them must. */
  count?: number;
}

export interface HoldFact {
  by: string;
  reason: string;
  since: string;
  until?: string;
}

export interface StopFact {
  /** Absent: everything is stopped. */
  cluster?: string;
  by: string;
  reason: string;
  since: string;
}

/** A freeze that is in force. */
export interface FreezeFact {
  reason: string;
  until: string;
  /** In which `until` is said; UTC by default. */
  timezone?: string;
  /** Absent for one of the configuration's calendar. */
  by?: string;
}

/** A cluster none of whose workers is there. */
export interface AbsentWorkerFact {
  cluster: string;
  /** That nobody polls. */
  queue: string;
  since: string;
}

/** Who must approve plans of an environment. */
export interface ApprovalPolicy {
  count: number;
  /** Groups whose members may approve; empty means any person. */
  from: string[];
  /** How long a plan waits; absent means without limit. */
  expiresMs?: number;
}

/** What a person said about a plan. */
export interface Verdict {
  person: string;
  groups: readonly string[];
  verdict: 'approved' | 'rejected';
  comment: string;
}

export interface GateFacts {
  /** `manual` and `rollback`: a person asked. */
  kind: 'automatic' | 'manual' | 'rollback';
  hold?: HoldFact;
  stops: readonly StopFact[];
  freezes: readonly FreezeFact[];
  /** What a person let this deployment pass. */
  overridden: readonly OverridableGate[];
  absentWorker?: AbsentWorkerFact;
  /** Absent where they are not asked for. */
  dependencies?: readonly DependencyFact[];
}

import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { LogStep } from '../../contract/log-sink.ts';
import type { CauseReport } from '../../domain/cause.ts';
import type { OverridableGate, Verdict, Waiting } from '../../domain/gates/facts.ts';
import type { HealthState, ServiceHealth } from '../../domain/health.ts';
import type { PlanDiff } from '../../domain/diff/plan-diff.ts';
import type { DriftReport } from '../../domain/drift/report.ts';
import type { DeploymentKind } from '../../domain/overtaking.ts';
import type { Observation, ServiceAgreement } from '../../domain/observe/agreement.ts';
import type { DeploymentPhase, ReleasePhase } from '../../domain/phases.ts';
import type { PlannedService } from '../../domain/services.ts';

/** The tables of migrations/ as the queries see them. */
export interface Tables {
  environments: EnvironmentTable;
  releases: ReleaseTable;
  deployments: DeploymentTable;
  attempts: AttemptTable;
  plans: PlanTable;
  plan_diffs: PlanDiffTable;
  health: HealthTable;
  observations: ObservationTable;
  drift: DriftTable;
  services: ServiceTable;
  service_failures: ServiceFailureTable;
  holds: HoldTable;
  stops: StopTable;
  freezes: FreezeTable;
  overrides: OverrideTable;
  approvals: ApprovalTable;
  log_chunks: LogChunkTable;
  inbox: InboxTable;
  deliveries: DeliveryTable;
  pushers: PusherTable;
  polls: PollTable;
  tokens: TokenTable;
  audit: AuditTable;
}

/** Read as a value, written as JSON text. */
type Json<T> = ColumnType<T, string, string>;
type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;

interface EnvironmentTable {
  repository: string;
  name: string;
  cluster: string;
  namespace: string;
  mode: Generated<'deploy' | 'observe'>;
  position: number;
  configured: boolean;
  accepted_commit: string | null;
  accepted_inputs: string | null;
}

interface ReleaseTable {
  id: string;
  number: GeneratedAlways<number>;
  repository: string;
  commit: string;
  kind: 'automatic' | 'manual';
  actor: string | null;
  title: string | null;
  author: string | null;
  committed_at: Date | null;
  phase: Generated<ReleasePhase>;
  untouched: ColumnType<string[], string | undefined, string>;
  runs: Generated<number>;
  created_at: Generated<Date>;
  /** When its first run was given to Temporal, which forgets ended workflows; this does not. */
  handed_over_at: Date | null;
  ended_at: Date | null;
}

interface DeploymentTable {
  id: string;
  number: GeneratedAlways<number>;
  release_id: string;
  repository: string;
  environment: string;
  cluster: string;
  namespace: string;
  run: number;
  kind: Generated<DeploymentKind>;
  mode: Generated<'deploy' | 'observe'>;
  phase: Generated<DeploymentPhase>;
  inputs: string | null;
  note: Generated<string>;
  cause: NullableJson<CauseReport>;
  attempt: Generated<number>;
  retry_at: Date | null;
  created_at: Generated<Date>;
  started_at: Date | null;
  applied_at: Date | null;
  ended_at: Date | null;
  waiting: NullableJson<Waiting>;
  /** The last record that was taken over. */
  record_order: Generated<number>;
}

interface AttemptTable {
  deployment_id: string;
  number: number;
  started_at: Generated<Date>;
  ended_at: Date | null;
  cause: NullableJson<CauseReport>;
}

interface PlanTable {
  deployment_id: string;
  digest: string;
  services: Json<PlannedService[]>;
  diff: NullableJson<PlanDiff>;
  restart: NullableJson<string[]>;
  created_at: Generated<Date>;
}

interface PlanDiffTable {
  deployment_id: string;
  digest: string;
  diff: Json<PlanDiff>;
  created_at: Generated<Date>;
}

interface HealthTable {
  deployment_id: string;
  state: HealthState;
  services: Json<ServiceHealth[]>;
  at: Date;
}

interface ObservationTable {
  deployment_id: string;
  verdict: Observation['verdict'];
  services: Json<ServiceAgreement[]>;
  at: Generated<Date>;
}

interface DriftTable {
  repository: string;
  environment: string;
  /** Of the newest look that could be made, whose report it is. */
  looked_at: Date | null;
  since: Date | null;
  cleared_at: Date | null;
  report: NullableJson<DriftReport>;
  /** Of the newest look, and why it could not be made. */
  tried_at: Date;
  trouble: NullableJson<CauseReport>;
}

interface ServiceTable {
  repository: string;
  environment: string;
  name: string;
  chart: string;
  chart_version: string | null;
  commit: string;
  deployment_id: string;
  since: Date;
  fingerprint: string | null;
  chart_digest: string | null;
  helm_revision: number | null;
}

interface ServiceFailureTable {
  repository: string;
  environment: string;
  name: string;
  fingerprint: string;
  chart_version: string | null;
  chart_digest: string | null;
  cause: Json<CauseReport>;
  deployment_id: string;
  at: Generated<Date>;
}

interface HoldTable {
  id: string;
  repository: string;
  environment: string;
  reason: string;
  held_by: string;
  since: Generated<Date>;
  until: Date | null;
  ended_at: Date | null;
  ended_by: string | null;
}

interface StopTable {
  id: string;
  cluster: string | null;
  reason: string;
  stopped_by: string;
  since: Generated<Date>;
  ended_at: Date | null;
  ended_by: string | null;
}

interface FreezeTable {
  id: string;
  cluster: string | null;
  repository: string | null;
  environment: string | null;
  reason: string;
  announced_by: string;
  created_at: Generated<Date>;
  starts_at: Date;
  ends_at: Date;
  removed_at: Date | null;
  removed_by: string | null;
}

interface OverrideTable {
  deployment_id: string;
  gate: OverridableGate;
  reason: string;
  overridden_by: string;
  at: Generated<Date>;
}

interface ApprovalTable {
  id: string;
  repository: string;
  environment: string;
  digest: string;
  deployment_id: string;
  person: string;
  forge_user: string | null;
  groups: string[];
  verdict: Verdict['verdict'];
  comment: string;
  at: Generated<Date>;
  spent_at: Date | null;
  spent_by: string | null;
}

interface LogChunkTable {
  deployment_id: string;
  last_line: number;
  attempt: number;
  step: LogStep;
  at: Generated<Date>;
  lines: string[];
  attempt_bytes: number;
  /** The writer that the lines are of, and how many it had written with them. */
  stream: string | null;
  stream_next: number | null;
}

interface InboxTable {
  id: string;
  source: 'webhook' | 'poll' | 'api';
  repository: string;
  received_at: Generated<Date>;
  ref: string | null;
  before: string | null;
  after: string | null;
  body: Buffer | null;
  release_id: string | null;
  run: number | null;
  /** Of the run that a person asked for. */
  kind: Generated<Exclude<DeploymentKind, 'automatic'>>;
  environments: NullableJson<string[]>;
  force: Generated<boolean>;
  tries: Generated<number>;
  next_try_at: Generated<Date>;
  claimed_until: Date | null;
  last_error: string | null;
  done_at: Date | null;
  headers: NullableJson<Record<string, string>>;
  /** Why nothing follows from the event. */
  ignored: string | null;
  /** Of whoever pushed, such as `github:4711`. */
  sender_id: string | null;
  sender_login: string | null;
  /** Tries that failed by the row's own fault. */
  failures: Generated<number>;
  parked_at: Date | null;
  /** Its last try ended with the process: nothing else is tried beside it. */
  alone: Generated<boolean>;
}

interface DeliveryTable {
  repository: string;
  delivery: string;
  inbox_id: string;
  received_at: Generated<Date>;
}

interface PusherTable {
  release_id: string;
  forge_user: string;
  login: string;
}

/** What the latest look at a branch saw; the last head stays while it cannot be read. */
interface PollTable {
  repository: string;
  polled_at: Generated<Date>;
  commit: string | null;
  /** Since when the head is this commit, as far as polls know. */
  seen_at: Date | null;
  error_code: string | null;
  error: string | null;
  failing_since: Date | null;
}

interface TokenTable {
  id: string;
  name: string;
  prefix: string;
  sha256: Buffer;
  /** Of a worker: its cluster. */
  cluster: string | null;
  created_at: Generated<Date>;
  expires_at: Date | null;
  last_used_at: Date | null;
  person: string | null;
  groups: ColumnType<string[], string[] | undefined, string[]>;
  forge_user: string | null;
}

interface AuditTable {
  id: GeneratedAlways<number>;
  at: Generated<Date>;
  actor: string;
  action: string;
  subject: string;
  request_id: string;
  details: Json<Record<string, unknown>>;
}

/** Why a deployment ended or retries, and why a request was refused: closed lists with their consequences. */

interface Cause {
  /** Decides the retry: transient is tried again, configuration never, rollout only where configured. */
  kind: 'transient' | 'configuration' | 'rollout';
  /** The end when attempts are used up. */
  phase: 'failed' | 'errored' | 'cancelled';
  /** Who most likely has to act. */
  owner: 'app' | 'config' | 'platform' | 'policy' | 'unknown';
}

export const CAUSES = {
  'template-error': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'values-missing': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'chart-unresolved': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'chart-auth': { kind: 'configuration', phase: 'errored', owner: 'platform' },
  'immutable-field': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'object-taken': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'commit-missing': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'repository-refused': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'namespace-missing': { kind: 'configuration', phase: 'failed', owner: 'platform' },
  'workload-missing': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'rbac-forbidden': { kind: 'configuration', phase: 'failed', owner: 'platform' },
  'observed-only': { kind: 'configuration', phase: 'failed', owner: 'policy' },
  'git-auth': { kind: 'configuration', phase: 'errored', owner: 'platform' },
  'git-unreachable': { kind: 'transient', phase: 'errored', owner: 'platform' },
  'image-not-found': { kind: 'rollout', phase: 'failed', owner: 'app' },
  'image-auth': { kind: 'rollout', phase: 'failed', owner: 'platform' },
  'image-slow': { kind: 'rollout', phase: 'failed', owner: 'platform' },
  'crash-loop': { kind: 'rollout', phase: 'failed', owner: 'app' },
  'oom-killed': { kind: 'rollout', phase: 'failed', owner: 'app' },
  'init-failed': { kind: 'rollout', phase: 'failed', owner: 'app' },
  'readiness-failing': { kind: 'rollout', phase: 'failed', owner: 'app' },
  unschedulable: { kind: 'rollout', phase: 'failed', owner: 'platform' },
  'eviction-blocked': { kind: 'rollout', phase: 'failed', owner: 'platform' },
  asleep: { kind: 'rollout', phase: 'failed', owner: 'policy' },
  'hook-failed': { kind: 'rollout', phase: 'failed', owner: 'app' },
  'admission-denied': { kind: 'rollout', phase: 'failed', owner: 'policy' },
  quota: { kind: 'rollout', phase: 'failed', owner: 'platform' },
  'job-failed': { kind: 'rollout', phase: 'failed', owner: 'app' },
  'progress-deadline': { kind: 'rollout', phase: 'failed', owner: 'unknown' },
  'rollout-timeout': { kind: 'rollout', phase: 'failed', owner: 'unknown' },
  'helm-failed': { kind: 'rollout', phase: 'failed', owner: 'unknown' },
  'helm-rolled-back': { kind: 'rollout', phase: 'failed', owner: 'app' },
  'helm-locked': { kind: 'transient', phase: 'errored', owner: 'platform' },
  'cluster-unreachable': { kind: 'transient', phase: 'errored', owner: 'platform' },
  'cluster-auth': { kind: 'configuration', phase: 'errored', owner: 'platform' },
  'chart-repository-unreachable': { kind: 'transient', phase: 'errored', owner: 'platform' },
  'disk-full': { kind: 'transient', phase: 'errored', owner: 'platform' },
  'tool-missing': { kind: 'configuration', phase: 'errored', owner: 'platform' },
  'output-too-large': { kind: 'configuration', phase: 'failed', owner: 'config' },
  'worker-lost': { kind: 'transient', phase: 'errored', owner: 'platform' },
  'plan-changed': { kind: 'transient', phase: 'errored', owner: 'platform' },
  'approval-rejected': { kind: 'configuration', phase: 'cancelled', owner: 'policy' },
  'approval-timeout': { kind: 'configuration', phase: 'cancelled', owner: 'policy' },
  unknown: { kind: 'configuration', phase: 'errored', owner: 'unknown' },
} as const satisfies Record<string, Cause>;

export type CauseCode = keyof typeof CAUSES;

export const CAUSE_CODES = Object.keys(CAUSES) as CauseCode[];

/** Tells a cause's code from any other string, such as the type of a Temporal failure. */
export function isCauseCode(value: unknown): value is CauseCode {
  return typeof value === 'string' && Object.hasOwn(CAUSES, value);
}

/** Why a request was not done: the HTTP status and the exit code of the command line. */
export const REFUSALS = {
  malformed: { http: 400, exit: 2 },
  'not-signed-in': { http: 401, exit: 4 },
  forbidden: { http: 403, exit: 5 },
  'not-found': { http: 404, exit: 6 },
  conflict: { http: 409, exit: 7 },
  'plan-stale': { http: 412, exit: 7 },
  'too-large': { http: 413, exit: 2 },
  'unsupported-type': { http: 415, exit: 2 },
  invalid: { http: 422, exit: 2 },
  unavailable: { http: 503, exit: 9 },
} as const satisfies Record<string, { http: number; exit: number }>;

export type RefusalCode = keyof typeof REFUSALS;

/** Inability while releasing: thrown by adapters, translated once at each border. */
export class SlipwayError extends Error {
  override readonly name = 'SlipwayError';
  readonly code: CauseCode;
  readonly details: Readonly<Record<string, string | number>>;

  /**
   * @param code what went wrong, from {@link CAUSES}
   * @param message what was being done and which value was wrong; never a secret
   */
  constructor(
    code: CauseCode,
    message: string,
    options: { details?: Record<string, string | number>; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The refusal of whatever would write where Slipway only observes. */
export function observedOnly(environment: string): SlipwayError {
  const sentence = `${environment} is observed only (mode: observe): nothing is written there.`;
  return new SlipwayError('observed-only', sentence);
}

/** A request that is answered with no: thrown by use cases, translated by the HTTP error handler. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Whether trying again later may help without anybody acting: a neighbour is away. */
export function passesByItself(error: unknown): boolean {
  if (error instanceof SlipwayError) return CAUSES[error.code].kind === 'transient';
  return error instanceof Refusal && error.code === 'unavailable';
}

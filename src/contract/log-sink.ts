/** Where the output of a deployment's steps goes: PostgreSQL, or the server over HTTP. */
export interface LogSink {
  /** Appends lines in order; resolves when they are stored. */
  append: (lines: LogLines) => Promise<void>;
}

export interface LogLines {
  deploymentId: string;
  attempt: number;
  step: LogStep;
  lines: readonly string[];
}

export const LOG_STEPS = ['checkout', 'plan', 'apply', 'rollout', 'restart'] as const;
export type LogStep = (typeof LOG_STEPS)[number];

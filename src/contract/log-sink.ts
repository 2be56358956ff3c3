/** Where the output of a deployment's steps goes: from a worker to the server, and there to the store. */
export interface LogSink {
  /** Appends lines in order; resolves when they are stored. */
  append: (lines: LogLines) => Promise<void>;
}

export interface LogLines {
  deploymentId: string;
  attempt: number;
  step: LogStep;
  /** Names the writer that these lines are of; within one, lines are numbered. */
  stream: string;
  /** How many lines the writer wrote before these: what comes twice is known by it, and so is a gap. */
  first: number;
  /** When they were written, by the worker's clock. */
  at: string;
  lines: readonly string[];
}

export const LOG_STEPS = ['checkout', 'plan', 'apply', 'rollout', 'restart'] as const;
export type LogStep = (typeof LOG_STEPS)[number];

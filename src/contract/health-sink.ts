import type { ServiceHealth } from '../domain/health.ts';

/** Where a worker puts how well what a deployment left runs. */
export interface HealthSink {
  /** Resolves when it is stored, or kept until the server is there again. */
  store: (record: HealthRecord) => Promise<void>;
}

/** What a look found of some services of a deployment. */
export interface HealthRecord {
  deploymentId: string;
  /** When it looked, by the worker's clock, ISO 8601. */
  at: string;
  services: readonly ServiceHealth[];
  /** It looked at some workloads of these services only, such as those that were restarted. */
  partial?: boolean;
}

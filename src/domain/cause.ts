import type { CauseCode } from './errors.ts';

/** Why a deployment ended as it did, in a form that people and programs read. */
export interface CauseReport {
  code:
    | CauseCode
    | 'dependency'
    | 'older-commit'
    | 'newer-commit'
    | 'manual-release'
    | 'rollback'
    | 'rewritten-history'
    | 'observed'
    | 'cancelled';
  /** One sentence with the names and values that matter; holds no secret. */
  sentence: string;
  service?: string;
  /** Kubernetes workload, such as `Deployment/frontend`. */
  workload?: string;
  pod?: string;
  container?: string;
  image?: string;
  /** The neighbour's own word, such as `ImagePullBackOff`. */
  reason?: string;
  /** What it is concluded from: events, log lines, error output. At most 20 lines, and no secret. */
  evidence?: string[];
  /** What to do next, the most likely first. */
  actions?: string[];
}

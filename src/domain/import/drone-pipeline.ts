import type { Command } from './deploy-script.ts';

/** A value of a step's `environment`: fixed, or the name of a secret. */
export type DroneValue = { text: string } | { secret: string };

/** A key that says more than a deployment needs. */
export interface DroneKey {
  key: string;
  line: number;
}

export interface DroneStep {
  name: string;
  line: number;
  /** With what anchors bring in, merged deeply, as Drone merges it. */
  environment: ReadonlyMap<string, DroneValue>;
  commands: readonly Command[];
  /** Undefined where none is written. */
  dependsOn?: readonly string[];
  other: readonly DroneKey[];
}

export interface DronePipeline {
  file: string;
  name: string;
  line: number;
  branches: readonly string[];
  dependsOn: readonly string[];
  steps: readonly DroneStep[];
  other: readonly DroneKey[];
}

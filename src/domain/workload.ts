import type { SleepSchedule } from './sleep-schedule.ts';

/** What the API server says of Kubernetes workloads, reduced to what the rules read. */

export interface ContainerFacts {
  name: string;
  image: string;
  restarts: number;
  /** Those since it was first looked at: old ones are no fault of what is rolled out now. */
  recentRestarts?: number;
  init?: true;
  /** Running, and its probes are content. */
  ready?: true;
  running?: true;
  waiting?: { reason: string; message: string };
  /** How it ended last; `message` is what the container runtime said, if anything. */
  lastExit?: { reason: string; exitCode: number; message?: string };
  memoryLimit?: string;
  /** The probes it declares, in words, such as `GET :8080/health`. */
  probes?: { startup?: string; readiness?: string; liveness?: string };
}

export interface PodFacts {
  name: string;
  /** ISO 8601, in seconds. */
  createdAt?: string;
  /** Init containers too, first. */
  containers: ContainerFacts[];
  /** Why the scheduler finds no node for it. */
  unschedulable?: string;
}

export interface ConditionFacts {
  type: string;
  status: string;
  reason: string;
  message: string;
}

export interface WorkloadFacts {
  /** Deployment, StatefulSet, DaemonSet, Job, Pod, or the kind of a custom resource. */
  kind: string;
  name: string;
  service: string;
  generation: number;
  observedGeneration: number;
  desired: number;
  /** Replicas of the newest template, and how many of those are available; for a Job: completions. */
  updated: number;
  available: number;
  /** Replicas of older templates that still run and are to go. */
  old: number;
  /** A condition that ends the rollout: progress deadline, failed Job, replicas refused. */
  failure?: { reason: string; message: string; at?: string };
  /** The images that Helm's newest revision declares for it, and when that revision was made. */
  declared?: { images: readonly string[]; at: string };
  /** Pods of the newest template only: old pods that still serve prove nothing. */
  pods: PodFacts[];
  /** A Deployment's newest ReplicaSet, which is what Kubernetes tells of refused pods. */
  replicaSet?: string;
  /** Helm's manifest has it, the cluster has not. */
  missing?: true;
  /** Runs for a moment of the Helm operation only: no part of the service's health. */
  hook?: true;
  /** Its controller rolls nothing out until a person lets it. */
  paused?: true;
  /** Pods get the new template only when somebody deletes them: how many still have an older one. */
  updatesOnDelete?: { waiting: number };
  /** A StatefulSet's pods below this ordinal keep the older template on purpose. */
  partition?: number;
  /** The replicas are not the chart's but an autoscaler's. */
  autoscaled?: true;
  /** Its controller has once seen the newest template run everywhere. */
  rolledOut?: true;
  /** Annotations of a downscaler that switches it off by the clock. */
  sleep?: SleepSchedule;
  job?: { complete: boolean; failedPods: number; backoffLimit: number; vanishes: boolean };
  /** Of a custom resource: it says itself whether it is well. */
  conditions?: ConditionFacts[];
}

/**
 * A workload without what was there before Helm's newest revision. Helm writes the revision first, then
 * runs its hooks and only then changes the workload: until then the pods are those of the revision before,
 * and their troubles are not the new one's, unless it declares the very image that they wait for.
 */
export function sinceRevision(facts: WorkloadFacts): WorkloadFacts {
  const { declared, failure, ...rest } = facts;
  if (!declared) return facts;
  const isNew = (at: string | undefined) => at === undefined || at >= declared.at;
  const waitsForDeclared = ({ containers }: PodFacts) =>
    containers.some(({ waiting, image }) => waiting && declared.images.includes(image)) &&
    containers.every(({ image }) => declared.images.includes(image));
  return {
    ...rest,
    declared,
    ...(failure && isNew(failure.at) ? { failure } : {}),
    pods: facts.pods.filter((pod) => isNew(pod.createdAt) || waitsForDeclared(pod)),
  };
}

/** `Deployment/api`, as people and kubectl write it. */
export function workloadName({ kind, name }: { kind: string; name: string }): string {
  return `${kind}/${name}`;
}

import { APP_IMAGE } from './images.ts';

/** Kubernetes objects as the tests' chart declares them. */

export type Json = Readonly<Record<string, unknown>>;

export const shell = (script: string): Json => ({ command: ['sh', '-c', script] });
export const forever: Json = { command: ['sleep', 'inf'] };

export function pod(container: Json, rest: Json = {}): Json {
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image: APP_IMAGE, imagePullPolicy: 'IfNotPresent', ...container }],
    ...rest,
  };
}

export function workload(kind: string, name: string, podSpec: Json, spec: Json = {}): Json {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}

export function job(name: string, container: Json, spec: Json = {}, annotations: Json = {}): Json {
  const template = { spec: { ...pod(container), restartPolicy: 'Never' } };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, annotations },
    spec: { backoffLimit: 0, template, ...spec },
  };
}

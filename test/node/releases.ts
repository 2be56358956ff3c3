import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterDeps } from '../../activities/cluster-deps.ts';
import { ApplyEnds } from '../../activities/apply-ends.ts';
import { createWatchRollout } from '../../activities/watch-rollout.ts';
import { openKubernetes } from '../../src/adapters/kubernetes/client.ts';
import { listEvents } from '../../src/adapters/kubernetes/events.ts';
import { listHelmReleases } from '../../src/adapters/kubernetes/helm-releases.ts';
import { readLastLines } from '../../src/adapters/kubernetes/logs.ts';
import { listWorkloads } from '../../src/adapters/kubernetes/workloads.ts';
import { run } from '../../src/adapters/process/run.ts';
import { STAMP } from '../../src/contract/stamp.ts';
import type { WatchInput } from '../../src/contract/workflow/activities.ts';
import type { RolloutJudgement } from '../../src/domain/services.ts';
import { activityEnvironment } from '../support/activity-environment.ts';
import type { Json } from './objects.ts';
import type { RealNode } from './real-node.ts';
import { nodeEnv } from './requirements.ts';

const NAMESPACE = 'default';
const CHART = join(import.meta.dirname, 'chart');

interface Watched {
  judgement: RolloutJudgement;
  log: string[];
}

/** Releases to the real node with the real helm, watched by the activity of the worker. */
export interface Releases {
  /** Applies the objects as a Helm release; answers helm's exit code. */
  apply(service: string, objects: readonly Json[]): Promise<number | undefined>;
  watch(
    service: string,
    options?: Partial<WatchInput['rollout']> & { mode?: WatchInput['mode'] },
  ): Promise<Watched>;
}

/** A secret that containers print: nothing that is told may hold it. */
export const SECRET = 'hunter2-on-a-real-node';

export function releasesOn(node: RealNode, helm: string): Releases {
  const api = openKubernetes(node.access);
  const cluster = {
    helmReleases: () => listHelmReleases(api, NAMESPACE),
    workloads: (released: Parameters<typeof listWorkloads>[2]) =>
      listWorkloads(api, NAMESPACE, released),
    events: (names: readonly string[]) => listEvents(api, NAMESPACE, names),
    lastLines: (pod: string, container: string) => readLastLines(api, NAMESPACE, pod, container),
  };
  return {
    apply: async (service, objects) => {
      const folder = await mkdtemp(join(tmpdir(), 'slipway-node-'));
      const values = join(folder, 'values.json');
      await writeFile(values, JSON.stringify({ objects }));
      const labels = `${STAMP.deployment}=${service},${STAMP.attempt}=1`;
      const { exitCode } = await run(
        helm,
        ['upgrade', '--install', service, CHART, '--values', values, '--labels', labels],
        { env: { ...nodeEnv(), HOME: folder, KUBECONFIG: node.kubeconfig }, timeoutMs: 120_000 },
      );
      await rm(folder, { recursive: true });
      return exitCode;
    },
    watch: async (service, { mode = 'after', ...policy } = {}) => {
      const log: string[] = [];
      const deps = {
        cluster: () => cluster,
        health: { store: () => Promise.resolve() },
        redact: (text: string) => text.replaceAll(SECRET, '‹masked›'),
        logs: {
          append: ({ lines }: { lines: readonly string[] }) => {
            log.push(...lines);
            return Promise.resolve();
          },
        },
      };
      const activity = createWatchRollout(deps as unknown as ClusterDeps, new ApplyEnds());
      const environment = activityEnvironment({ scheduledTimestampMs: Date.now() });
      const judgement: RolloutJudgement = await environment.run(activity, {
        deployment: {
          ...{ deploymentId: service, repository: 'notprod', environment: NAMESPACE },
          ...{ commit: 'c'.repeat(40), cluster: 'local', namespace: NAMESPACE },
        },
        attempt: 1,
        services: [{ name: service, chart: CHART, chartVersion: '1.0.0' }],
        rollout: { timeoutMs: 20_000, soakMs: 3_000, restartsMax: 2, ...policy },
        mode,
      });
      return { judgement, log };
    },
  };
}

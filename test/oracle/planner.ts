import { createHmac } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterDeps, ClusterView } from '../../activities/cluster-deps.ts';
import { makePlan } from '../../activities/make-plan.ts';
import { diffService } from '../../src/adapters/helmfile/diff.ts';
import { Evaluations } from '../../src/adapters/helmfile/evaluations.ts';
import { Helmfile } from '../../src/adapters/helmfile/helmfile.ts';
import { withWorkspace } from '../../src/adapters/helmfile/workspace.ts';
import {
  CONTEXT,
  writeKubeconfig,
  type ClusterAccess,
} from '../../src/adapters/kubernetes/access.ts';
import type { HelmRelease } from '../../src/adapters/kubernetes/helm-releases.ts';
import type { PlanResult } from '../../src/contract/workflow/activities.ts';
import type { RecordedService } from '../../src/domain/plan/plan-services.ts';
import type { PlannedService } from '../../src/domain/services.ts';
import { createGrowingRedactor } from '../../src/domain/redact/growing.ts';
import { chartVariables, signIn } from './chart-server.ts';
import { ENVIRONMENT, type State } from './repository.ts';
import type { Rendering } from './full-rendering.ts';
import { writeFiles } from '../support/write-files.ts';

export interface PlannerPlace {
  folder: string;
  tools: { helm: string; helmfile: string };
  access: ClusterAccess;
  chartsUrl: string;
}

const DEPLOYMENT = {
  ...{ cluster: 'local', namespace: ENVIRONMENT, repository: 'oracle', environment: ENVIRONMENT },
  ...{ deploymentId: 'dep_oracle', commit: '0'.repeat(40) },
};

/** The planner with all that is its own; only the Helm releases in the cluster are remembered here. */
export class PlannerUnderTest {
  readonly #place: PlannerPlace;
  readonly #running = new Map<string, Running>();
  readonly #evaluations = new Evaluations();
  #served: State['published'] | undefined;

  constructor(place: PlannerPlace) {
    this.#place = place;
  }

  async plan(state: State): Promise<PlanResult> {
    const { folder, tools, access, chartsUrl } = this.#place;
    const place = { dataDir: folder, cluster: 'local', namespace: ENVIRONMENT, name: 'plan' };
    if (this.#served !== state.published) await this.#forgetIndexes();
    this.#served = state.published;
    return withWorkspace({ ...place, tools, allow: ['ref+echo'] }, async (workspace) => {
      await writeFiles(workspace.tree, state.files);
      await writeKubeconfig(workspace.kubeconfig, access);
      const helmfile = new Helmfile({
        ...{ workspace, environment: ENVIRONMENT, namespace: ENVIRONMENT, kubeContext: CONTEXT },
        variables: { ...Object.fromEntries(state.variables), ...chartVariables(chartsUrl) },
        attempt: 'dep_oracle/0',
        evaluations: this.#evaluations,
        redactor: createGrowingRedactor([]),
      });
      const recorded = [...this.#running.values()].map((running) => running.recorded);
      return makePlan(this.#deps(), DEPLOYMENT, helmfile, {
        force: false,
        manual: false,
        recorded,
      });
    });
  }

  /** Everything that was planned is applied, and succeeds. */
  apply(plan: PlanResult, rendered: Rendering): void {
    for (const service of plan.services) {
      if (service.action === 'uninstall') this.#running.delete(service.name);
      else this.#remember(service, 1, rendered);
    }
    for (const service of plan.adopted ?? []) this.#remember(service, 0, rendered);
  }

  #remember(service: PlannedService, step: number, rendered: Rendering): void {
    const { name, fingerprint, chartVersion, chartDigest } = service;
    const before = this.#running.get(name);
    const helmRevision = (before?.recorded.helmRevision ?? 0) + step;
    this.#running.set(name, {
      manifest: step === 0 ? (before?.manifest ?? '') : (rendered.get(name) ?? ''),
      recorded: {
        ...{ name, lastEnd: 'succeeded', helmRevision },
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(chartVersion === undefined ? {} : { chartVersion }),
        ...(chartDigest === undefined ? {} : { chartDigest }),
      },
    });
  }

  /** As if a minute had passed. */
  async #forgetIndexes(): Promise<void> {
    const helmHome = join(this.#place.folder, 'helm', 'local', ENVIRONMENT);
    await rm(join(helmHome, 'slipway-indexes.json'), { force: true });
    await signIn(join(helmHome, 'config'), this.#place.chartsUrl);
  }

  #deps(): ClusterDeps {
    const deps: Pick<ClusterDeps, 'cluster' | 'digest' | 'settings' | 'diff'> = {
      cluster: () => this.#cluster() as ClusterView,
      digest: (_deployment, texts) =>
        createHmac('sha256', 'oracle').update(texts.join('\0')).digest('hex'),
      settings: () => ({ chartRanges: 'follow', prune: false, restart: [] }),
      diff: (_deployment, { service, rendered, live }) =>
        diffService(rendered, live, { service, namespace: ENVIRONMENT, redact: (text) => text }),
    };
    return deps as ClusterDeps;
  }

  #cluster(): Pick<ClusterView, 'checkNamespace' | 'helmReleases' | 'manifests'> {
    const releases = [...this.#running.values()].map(({ recorded }): HelmRelease => ({
      ...{ service: recorded.name, helmRevision: recorded.helmRevision ?? 0, status: 'deployed' },
      ...{ description: 'slipway dep_oracle/1', chartVersion: recorded.chartVersion ?? '' },
      ...{ serverSide: false, ageMs: 0 },
    }));
    return {
      checkNamespace: () => Promise.resolve(),
      helmReleases: () => Promise.resolve(releases),
      manifests: (names) =>
        Promise.resolve(
          new Map(names.map((name) => [name, this.#running.get(name)?.manifest ?? ''])),
        ),
    };
  }
}

interface Running {
  /** What Helm would hold. */
  manifest: string;
  recorded: RecordedService;
}

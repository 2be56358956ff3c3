import type { Helmfile } from '../src/adapters/helmfile/helmfile.ts';
import type { HelmRelease } from '../src/adapters/kubernetes/helm-releases.ts';
import type { PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { joinDiffs } from '../src/domain/diff/bound.ts';
import type { ServiceDiff } from '../src/domain/diff/plan-diff.ts';
import {
  assessServices,
  decidePlan,
  servicesToCompare,
  type Decision,
  type RecordedService,
  type ServiceState,
} from '../src/domain/plan/plan-services.ts';
import type { UntouchedService } from '../src/domain/plan/service-records.ts';
import type { PlannedService } from '../src/domain/services.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { environmentDigest, readDeclared, type Declared } from './declared-services.ts';

export interface PlanAsked {
  force: boolean;
  manual: boolean;
  /** Without it the manifests in the cluster are all that is remembered. */
  recorded?: readonly RecordedService[];
  /** Compares all services by their manifests, and none by its fingerprint. */
  renderAll?: boolean;
}

/** Plans with a checked-out commit: compares fingerprints, then renders only what they do not settle. */
export async function makePlan(
  deps: ClusterDeps,
  deployment: DeploymentRef,
  helmfile: Helmfile,
  asked: PlanAsked,
): Promise<PlanResult> {
  const cluster = deps.cluster(deployment);
  const found = cluster.checkNamespace().then(() => cluster.helmReleases());
  // What the commit itself is wrong about is told before what the cluster says.
  found.catch(() => undefined);
  const declared = await readDeclared(deps, deployment, helmfile);
  const helmReleases = await found;
  const { chartRanges, prune, restart } = deps.settings(deployment);
  const { force, manual } = asked;
  const memory = asked.recorded
    ? { recorded: asked.recorded }
    : { recorded: deployedByUs(helmReleases), withoutMemory: true };
  const question = { ...memory, helmReleases, manual, force, chartRanges, prune };
  const understood = asked.renderAll ? declared.map(toBeRendered) : declared;
  const states = assessServices({ ...question, declared: understood });
  const names = servicesToRender(states, { manual });
  const [rendered, live, unstable] = await Promise.all([
    helmfile.render(names),
    cluster.manifests(names),
    unstableServices(helmfile, declared, states),
  ]);
  const diffs = names.map((service) =>
    deps.diff(deployment, {
      service,
      rendered: rendered.get(service) ?? '',
      live: live.get(service) ?? '',
    }),
  );
  const equal = diffs.filter(({ resources }) => resources.length === 0);
  const decided = decidePlan(states, new Set(equal.map(({ service }) => service)), { manual });
  const decisions = await withAlsoApplied(helmfile, decided);
  const toPlanned = plannedService(declared, helmReleases, unstable);
  const summed = summary(decisions, toPlanned);
  return {
    digest: environmentDigest(deps, deployment, declared, unstable),
    ...summed,
    ...(restart.length > 0 && summed.services.length > 0 ? { restart: [...restart] } : {}),
    ...(unstable.size > 0 ? { unstable: [...unstable] } : {}),
    diff: joinDiffs(diffsOf(decisions, diffs)),
  };
}

/** What helmfile applies whenever it runs at all is in the plan, or people would not see it. */
async function withAlsoApplied(
  helmfile: Helmfile,
  decisions: readonly Decision[],
): Promise<Decision[]> {
  const applied = decisions.filter((one) => one.state === 'changed' && one.action === 'apply');
  if (applied.length === 0) return [...decisions];
  const also = new Set(await helmfile.alsoApplied(applied.map(({ name }) => name)));
  const note = 'its helmfile is included with selectors of its own, which helmfile always follows';
  return decisions.map((decision) =>
    also.has(decision.name)
      ? {
          ...{ name: decision.name, state: 'changed', reason: 'not understood', note },
          ...{ adoptable: false, starts: false, uninstall: false, action: 'apply' },
        }
      : decision,
  );
}

/** Helm's labels tell at least which services Slipway knows. */
function deployedByUs(helmReleases: readonly HelmRelease[]): RecordedService[] {
  const ours = helmReleases.filter(({ deploymentId }) => deploymentId !== undefined);
  return ours.map(({ service }) => ({ name: service, lastEnd: 'succeeded' }));
}

function toBeRendered(service: Declared): Declared {
  return { ...service, notUnderstood: 'compared by rendering' };
}

/** Those that may be spared an upgrade, and those whose change people want to see. */
function servicesToRender(states: readonly ServiceState[], options: { manual: boolean }): string[] {
  const applied = states.filter(
    (state) => state.state === 'changed' && !state.adoptable && !state.uninstall,
  );
  return [...servicesToCompare(states, options), ...applied.map(({ name }) => name)];
}

/** Names of services whose evaluated input differs each time, because it holds something random. */
async function unstableServices(
  helmfile: Helmfile,
  declared: readonly Declared[],
  states: readonly ServiceState[],
): Promise<ReadonlySet<string>> {
  // Where nothing seems to have changed, nothing random is in it.
  if (!states.some((state) => state.state === 'changed' && state.reason !== 'chart moved')) {
    return new Set();
  }
  const again = await helmfile.evaluatedAgain();
  if (!again) return new Set();
  const unstable = declared.filter(
    ({ name, input }) => !input.evaluated.startsWith(again.get(name) ?? ''),
  );
  return new Set(unstable.map(({ name }) => name));
}

type ToPlanned = (name: string, note: string, uninstall: boolean) => PlannedService;

function plannedService(
  declared: readonly Declared[],
  helmReleases: readonly HelmRelease[],
  unstable: ReadonlySet<string>,
): ToPlanned {
  const byName = new Map(declared.map((service) => [service.name, service]));
  const running = new Map(helmReleases.map((release) => [release.service, release]));
  return (name, note, uninstall) => {
    const service = byName.get(name);
    const helmRevision = running.get(name)?.helmRevision;
    const action = uninstall ? 'uninstall' : helmRevision === undefined ? 'install' : 'upgrade';
    const reason = unstable.has(name) ? `${note} (its input is different each time)` : note;
    const { fingerprint, chartVersion, chartDigest, input } = service ?? {};
    return {
      ...{ name, chart: input?.chart ?? '', action, reason },
      ...(chartVersion === undefined ? {} : { chartVersion }),
      ...(chartDigest === undefined ? {} : { chartDigest }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(unstable.has(name) ? { unstable: true as const } : {}),
      ...(helmRevision === undefined ? {} : { helmRevision }),
    };
  };
}

function summary(decisions: readonly Decision[], toPlanned: ToPlanned) {
  const services: PlannedService[] = [];
  const adopted: PlannedService[] = [];
  const untouched: UntouchedService[] = [];
  let unchanged = 0;
  for (const decision of decisions) {
    const { name } = decision;
    if (decision.state === 'unchanged') unchanged += 1;
    else if (decision.state === 'orphaned') {
      untouched.push({ name, state: 'orphaned', note: 'runs, but the commit does not declare it' });
    } else if (decision.state === 'blocked') {
      const note = `failed with this very input: ${decision.cause.sentence}`;
      untouched.push({ name, state: 'blocked', note, cause: decision.cause });
    } else if (decision.action === 'held') {
      untouched.push({ name, state: 'held', note: decision.note });
    } else {
      const planned = toPlanned(name, decision.note, decision.uninstall);
      (decision.action === 'record' ? adopted : services).push(planned);
    }
  }
  return { services, adopted, untouched, unchanged };
}

function diffsOf(decisions: readonly Decision[], diffs: readonly ServiceDiff[]): ServiceDiff[] {
  const applied = new Set(
    decisions.flatMap((one) => (one.state === 'changed' && one.action === 'apply' ? one.name : [])),
  );
  return diffs.filter(({ service }) => applied.has(service));
}

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { failureInterceptor } from '../../activities/failure-interceptor.ts';
import { run } from '../../src/adapters/process/run.ts';
import type {
  ClusterActivities,
  PlanResult,
  RollBackResult,
  WatchInput,
} from '../../src/contract/workflow/activities.ts';
import type { HealthRecord } from '../../src/contract/health-sink.ts';
import type { DeploymentRef } from '../../src/contract/workflow/payloads.ts';
import type { PlanDiffRecord } from '../../src/contract/plan-sink.ts';
import type { CauseReport } from '../../src/domain/cause.ts';
import type { DriftReport } from '../../src/domain/drift/report.ts';
import { asDiskFull } from '../../src/domain/disk-full.ts';
import { SlipwayError } from '../../src/domain/errors.ts';
import { judgeAgreement, type Observation } from '../../src/domain/observe/agreement.ts';
import type { RecordedService } from '../../src/domain/plan/plan-services.ts';
import { recordsOf, type ServiceRecord } from '../../src/domain/plan/service-records.ts';
import type { RolloutJudgement } from '../../src/domain/services.ts';
import { startChartRepository, type ChartRepository } from '../../src/main/dev/chart-repository.ts';
import type { GitRepository } from '../../src/main/dev/git-repository.ts';
import { startGitServer, type GitServer } from '../../src/main/dev/git-server.ts';
import { startKubernetes, type Kubernetes } from '../../src/main/dev/kubernetes.ts';
import { pushChange } from '../../src/main/dev/push-change.ts';
import { failedActivity } from '../../workflows/failures.ts';
import { activityEnvironment } from './activity-environment.ts';
import { createClusterWorker, type ClusterWorker } from './cluster-worker.ts';
import { createTestParts, type TestParts } from './part-context.ts';
import { writeFiles } from './write-files.ts';

/** A real cluster, chart repository and git server for tests of single environments. */
export class ReleaseLab {
  readonly parts: TestParts;
  readonly kubernetes: Kubernetes;
  readonly charts: ChartRepository;
  readonly git: GitServer;

  private constructor(
    parts: TestParts,
    [kubernetes, charts, git]: readonly [Kubernetes, ChartRepository, GitServer],
  ) {
    this.parts = parts;
    this.kubernetes = kubernetes;
    this.charts = charts;
    this.git = git;
  }

  static async start(): Promise<ReleaseLab> {
    const parts = await createTestParts();
    const { context } = parts;
    const running = await Promise.all([
      startKubernetes(context),
      startChartRepository(context),
      startGitServer(context),
    ]);
    return new ReleaseLab(parts, running);
  }

  async stop(): Promise<void> {
    await Promise.all([this.kubernetes.stop(), this.charts.stop(), this.git.stop()]);
    await this.parts.close();
  }

  /** Publishes a version of the charts that listens on another port than those before. */
  async publishCharts(version: string, port: number): Promise<void> {
    const chart = join(this.parts.context.folder, 'charts/sources/example-api');
    const file = join(chart, 'charts/generic-service/values.yaml');
    const values = await readFile(file, 'utf8');
    await writeFile(file, values.replace(/^port: .*$/m, `port: ${port}`));
    await this.charts.publish(version);
  }

  /** An environment of its own, released from a repository with this content. */
  async environment(
    name: string,
    files: Readonly<Record<string, string>>,
    settings: Record<string, unknown> = {},
    tools: { helm: string; helmfile: string } = this.parts.tools,
  ): Promise<ReleasedEnvironment> {
    await this.kubernetes.createNamespaces([name]);
    const content = join(this.parts.context.folder, 'content', name);
    await writeFiles(content, Object.entries(files));
    const repository = await this.git.createRepository(name, content);
    const folder = join(this.parts.context.folder, 'worker', name);
    await mkdir(folder, { recursive: true });
    const configFile = join(folder, 'slipway.yaml');
    await writeFile(configFile, this.#configuration(name, folder, repository, settings));
    await writeFile(join(folder, 'token'), this.kubernetes.token);
    const place = { lab: this, tools, name, folder, content, configFile, repository };
    return ReleasedEnvironment.open(place);
  }

  #configuration(
    name: string,
    folder: string,
    repository: GitRepository,
    settings: Record<string, unknown>,
  ): string {
    const environment = {
      cluster: 'local',
      variables: { CHART_REPOSITORY_URL: this.charts.url },
      ...settings,
    };
    return stringify({
      version: 1,
      server: { url: 'http://127.0.0.1:1' },
      database: { url: { env: 'DATABASE_URL' } },
      temporal: { address: '127.0.0.1:1' },
      dataDir: folder,
      clusters: {
        local: {
          server: this.kubernetes.server,
          certificateAuthority: { file: this.kubernetes.caFile },
          token: { file: join(folder, 'token') },
          workerToken: { env: 'WORKER_TOKEN' },
        },
      },
      repositories: { [name]: { url: repository.url, environments: { [name]: environment } } },
    });
  }
}

interface Opened {
  lab: ReleaseLab;
  /** Of its worker. */
  tools: { helm: string; helmfile: string };
  name: string;
  folder: string;
  /** What the repository held at first. */
  content: string;
  configFile: string;
  repository: GitRepository;
}

export interface Release {
  plan: PlanResult;
  end: { phase: 'succeeded' | 'unchanged' | 'failed'; cause?: CauseReport };
  log: string[];
}

/** One environment and what is remembered of it: runs the activities of a deployment in their order. */
export class ReleasedEnvironment {
  readonly configFile: string;
  readonly content: string;
  /** Of its worker. */
  readonly folder: string;
  /** What its worker said of how well services run. */
  readonly health: readonly HealthRecord[];
  readonly #opened: Opened;
  readonly activities: ClusterActivities;
  /** What its plans handed to the server. */
  readonly diffs: PlanDiffRecord[];
  readonly #log: string[];
  readonly #recorded = new Map<string, RecordedService>();
  #commit: string;
  #last: { deployment: DeploymentRef; plan: PlanResult } | undefined;
  #deployments = 0;

  private constructor(opened: Opened, { activities, log, health, diffs }: ClusterWorker) {
    this.configFile = opened.configFile;
    this.content = opened.content;
    this.folder = opened.folder;
    this.#opened = opened;
    this.activities = activities;
    this.#log = log;
    this.health = health;
    this.diffs = diffs;
    this.#commit = '';
  }

  static async open(opened: Opened): Promise<ReleasedEnvironment> {
    const { configFile, folder, tools } = opened;
    const worker = await createClusterWorker({ configFile, folder, tools });
    const environment = new ReleasedEnvironment(opened, worker);
    environment.#commit = await environment.#head();
    return environment;
  }

  /** Merges a change of these files. */
  async push(files: Readonly<Record<string, string>>): Promise<void> {
    const { repository } = this.#opened;
    const change = { url: repository.url, branch: 'main', message: 'Change', files };
    this.#commit = (await pushChange(change)).commit;
  }

  /** The commit that is released next. */
  get commit(): string {
    return this.#commit;
  }

  /** Makes an earlier commit the one that is released next, as a rollback does. */
  goBackTo(commit: string): void {
    this.#commit = commit;
  }

  /** Brings the newest commit to the worker, as a deployment does before it plans. */
  async checkOut(): Promise<void> {
    await runActivity(this.activities.checkout, this.#ref('dep_checkout'));
  }

  plan(asked: { manual?: boolean; force?: boolean } = {}): Promise<PlanResult> {
    return runActivity(this.activities.plan, this.planInput(asked));
  }

  /** What a plan of the newest commit asks of the worker. */
  planInput({ force = false, manual = false } = {}): Parameters<ClusterActivities['plan']>[0] {
    const recorded = [...this.#recorded.values()];
    return { deployment: this.#ref('dep_plan'), force, manual, recorded };
  }

  /** Digest over what the commit itself says of the environment. */
  async inputs(): Promise<string | undefined> {
    return (await runActivity(this.activities.readInputs, this.#ref('rel_inputs'))).inputs;
  }

  /** Plans, applies, watches and remembers, as the workflow of a deployment does. */
  async release(asked: { manual?: boolean; force?: boolean } = {}): Promise<Release> {
    this.#log.length = 0;
    const deployment = this.deployment();
    const plan = await this.plan(asked);
    this.#last = { deployment, plan };
    const { end, judgement } = await this.#apply(deployment, plan);
    for (const record of recordsOf(plan, end, judgement)) this.#remember(record);
    return { plan, end, log: [...this.#log] };
  }

  /** Looks for drift from what its releases left, or from this. */
  lookForDrift(recorded = [...this.#recorded.values()]): Promise<DriftReport> {
    const environment = this.#ref('');
    return runActivity(this.activities.lookForDrift, { environment, recorded });
  }

  /** Observes with an empty memory what another pipeline does meanwhile; its diffs are in {@link diffs}. */
  async observe(pipeline: () => Promise<unknown>): Promise<Observation> {
    const deployment = this.deployment();
    const marks = () => runActivity(this.activities.readReleases, deployment);
    const input = { deployment, force: false, recorded: [] };
    const before = await marks();
    const plan = await runActivity(this.activities.plan, input);
    await pipeline();
    const again = { ...input, manual: true, afterwards: true } as const;
    const { services: differing } = await runActivity(this.activities.plan, again);
    return judgeAgreement({
      ...{ planned: plan.services, adopted: plan.adopted ?? [], recorded: [] },
      ...{ before, after: await marks(), differing },
    });
  }

  async #apply(
    deployment: DeploymentRef,
    plan: PlanResult,
  ): Promise<{ end: Release['end']; judgement?: RolloutJudgement }> {
    const blocked = plan.untouched?.find(({ state }) => state === 'blocked')?.cause;
    if (plan.services.length === 0) {
      return { end: blocked ? { phase: 'failed', cause: blocked } : { phase: 'unchanged' } };
    }
    const rollout = { timeoutMs: 20_000, soakMs: 0, restartsMax: 5 };
    const look = { deployment, attempt: 1, services: plan.services, rollout };
    const watch = (mode: 'after' | 'once') =>
      runActivity(this.activities.watchRollout, { ...look, mode });
    const services = plan.services.map(({ name }) => name);
    const inspected = await runActivity(this.activities.inspect, { deployment, services });
    const { deadHolder } = inspected;
    try {
      const input = { deployment, attempt: 1, plan, deadHolder };
      await runActivity(this.activities.apply, input);
    } catch (error) {
      const cause = await explainedFailure(error);
      const judgement = await watch('once');
      const better = cause.code === 'helm-failed' && judgement.cause;
      return { end: { phase: 'failed', cause: better || cause }, judgement };
    }
    const applied = await watch('after');
    const judgement =
      applied.state === 'healthy' && plan.restart
        ? await this.#restart(deployment, plan.restart, look)
        : applied;
    if (judgement.state === 'healthy') return { end: { phase: 'succeeded' }, judgement: applied };
    const late = { code: 'rollout-timeout', sentence: 'not healthy in time' } as const;
    return { end: { phase: 'failed', cause: judgement.cause ?? late }, judgement };
  }

  /** Takes the last release back, as the workflow does for `onFailure: rollback`, and remembers it. */
  async takeBack(signal?: AbortSignal): Promise<RollBackResult> {
    if (!this.#last) throw new Error('nothing was released yet');
    const { deployment, plan } = this.#last;
    const services = plan.services.map(({ name }) => name);
    const { deadHolder } = await runActivity(this.activities.inspect, { deployment, services });
    const recorded = [...this.#recorded.values()];
    const input = { deployment, attempt: 1, services: plan.services, recorded, deadHolder };
    const result = await runActivity(this.activities.rollBack, input, signal);
    for (const { service, to, helmRevision } of result.returned ?? []) {
      const known = this.#recorded.get(service);
      if (known?.helmRevision === to) this.#recorded.set(service, { ...known, helmRevision });
    }
    return result;
  }

  /** Watches what a rollback left, until it is healthy or out of time. */
  watchTakenBack({ returned = [] }: RollBackResult): Promise<RolloutJudgement> {
    if (!this.#last) throw new Error('nothing was released yet');
    const services = returned.map(({ service, helmRevision }) => ({
      ...{ name: service, chart: '', helmRevision },
    }));
    const rollout = { timeoutMs: 20_000, soakMs: 0, restartsMax: 5 };
    return runActivity(this.activities.watchRollout, {
      ...{ deployment: this.#last.deployment, attempt: 1, services, takenBack: true, rollout },
      mode: 'after',
    });
  }

  /** Looks at what the last release left asleep, as the workflow does that waits for its wake. */
  watchAtWake(mode: 'once' | 'after'): Promise<RolloutJudgement> {
    if (!this.#last) throw new Error('nothing was released yet');
    const { deployment, plan } = this.#last;
    const services = plan.services.map(({ name }) => {
      const helmRevision = this.#recorded.get(name)?.helmRevision ?? 0;
      return { name, chart: '', helmRevision };
    });
    const rollout = { timeoutMs: 20_000, soakMs: 0, restartsMax: 5 };
    const look = { deployment, attempt: 1, services, woken: true as const, rollout, mode };
    return runActivity(this.activities.watchRollout, look);
  }

  async #restart(
    deployment: DeploymentRef,
    workloads: string[],
    look: Omit<WatchInput, 'mode'>,
  ): Promise<RolloutJudgement> {
    const restart = { deployment, attempt: 1, workloads };
    // As Temporal does when the answer of the first call was lost.
    await runActivity(this.activities.restart, restart);
    await runActivity(this.activities.restart, restart);
    const watched = { ...look, services: [], restarted: workloads, mode: 'after' as const };
    return runActivity(this.activities.watchRollout, watched);
  }

  /** What the store would hold. */
  #remember(record: ServiceRecord): void {
    const { name, end, fingerprint, helmRevision, chartVersion, chartDigest, cause } = record;
    const chart = {
      ...(chartVersion === undefined ? {} : { chartVersion }),
      ...(chartDigest === undefined ? {} : { chartDigest }),
    };
    if (end === 'removed') this.#recorded.delete(name);
    else if (end === 'succeeded') {
      this.#recorded.set(name, {
        ...{ name, lastEnd: 'succeeded', commit: this.#commit, ...chart },
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(helmRevision === undefined ? {} : { helmRevision }),
      });
    } else if (fingerprint !== undefined && cause) {
      const failed = { ...chart, fingerprint, cause };
      this.#recorded.set(name, { ...this.#recorded.get(name), name, lastEnd: 'failed', failed });
    }
  }

  /** Makes the next plan read the chart repositories again, as it would after a minute. */
  async forgetIndexes(): Promise<void> {
    const { folder, name } = this.#opened;
    await rm(join(folder, 'helm', 'local', name, 'slipway-indexes.json'), { force: true });
  }

  /** Runs helm against the environment's namespace, as a person would by hand. */
  helm(...args: string[]): Promise<string> {
    return this.#must('helm', [...args, '--namespace', this.#opened.name]);
  }

  /** Runs kubectl in the environment's namespace. */
  kubectl(...args: string[]): Promise<string> {
    return this.#must('kubectl', [...args, '--namespace', this.#opened.name]);
  }

  /** Runs helmfile on the newest commit, as another pipeline would. */
  async helmfile(...args: string[]): Promise<string> {
    const tree = join(this.#opened.folder, `by-hand-${Date.now()}`);
    await this.#must('git', ['clone', '--quiet', this.#opened.repository.url, tree]);
    const { helm } = this.#opened.lab.parts.tools;
    const { name } = this.#opened;
    const where = ['--helm-binary', helm, '--environment', name, '--namespace', name];
    return this.#must('helmfile', [...where, ...args], tree);
  }

  async #head(): Promise<string> {
    const args = ['ls-remote', this.#opened.repository.url, 'refs/heads/main'];
    return (await this.#must('git', args)).split('\t')[0] ?? '';
  }

  async #must(
    tool: 'helm' | 'helmfile' | 'kubectl' | 'git',
    args: string[],
    cwd?: string,
  ): Promise<string> {
    const { parts, kubernetes, charts } = this.#opened.lab;
    const result = await run(tool === 'git' ? 'git' : parts.tools[tool], args, {
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        HOME: this.#opened.folder,
        KUBECONFIG: kubernetes.kubeconfigPath,
        CHART_REPOSITORY_URL: charts.url,
        HELMFILE_UPGRADE_NOTICE_DISABLED: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
      },
      ...(cwd === undefined ? {} : { cwd }),
    });
    if (result.exitCode !== 0) throw new Error(`${tool} ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  /** A deployment of the newest commit. */
  deployment(): DeploymentRef {
    this.#deployments += 1;
    return this.#ref(`dep_${this.#deployments}`);
  }

  #ref(deploymentId: string): DeploymentRef {
    const { name } = this.#opened;
    const place = { cluster: 'local', namespace: name, repository: name, environment: name };
    return { ...place, deploymentId, commit: this.#commit };
  }
}

/** What a deployment's workflow makes of an error that an activity threw. */
export async function explainedFailure(error: unknown): Promise<CauseReport> {
  const known = asDiskFull(error) ?? error;
  if (!(known instanceof SlipwayError)) throw error;
  const { execute } = failureInterceptor((text) => text);
  const failure: unknown = await execute?.({ args: [], headers: {} }, () =>
    Promise.reject(known),
  ).catch((thrown: unknown) => thrown);
  return failedActivity(failure).cause;
}

export function runActivity<I, O>(
  activity: (input: I) => Promise<O>,
  input: I,
  signal?: AbortSignal,
): Promise<O> {
  const environment = activityEnvironment({ scheduledTimestampMs: Date.now() });
  signal?.addEventListener('abort', () => {
    environment.cancel('CANCELLED');
  });
  return environment.run(activity, input);
}

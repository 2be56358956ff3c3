import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePlan } from '../../activities/make-plan.ts';
import { ensureTools } from '../adapters/tools/ensure-tools.ts';
import { EXIT } from '../cli/exit-codes.ts';
import type { Config, EnvironmentConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { resolveSecrets } from '../config/secrets.ts';
import type { PlanResult } from '../contract/workflow/activities.ts';
import type { DeploymentRef } from '../contract/workflow/payloads.ts';
import { renderPlanDiff } from '../domain/diff/render.ts';
import { Refusal } from '../domain/errors.ts';
import { createGrowingRedactor } from '../domain/redact/growing.ts';
import { abortOnSignal } from './abort-on-signal.ts';
import { clusterAccess, createClusterDeps } from './cluster-deps.ts';

export interface PlanOptions {
  config: string;
  repository: string;
  environment: string;
  /** The head of the branch by default. */
  commit?: string;
  /** Compares every service by its rendered manifest, and holds nothing back. */
  all?: boolean;
  json?: boolean;
  exitCode?: boolean;
}

/**
 * Prints what a release of a commit would change in an environment, and returns the exit code. Needs
 * neither the server nor the database: what runs is compared by its manifests.
 */
export async function printPlan(options: PlanOptions): Promise<number> {
  const plan = await planAlone(options);
  process.stdout.write(options.json ? `${JSON.stringify(plan, null, 2)}\n` : inWords(plan));
  return options.exitCode && plan.services.length > 0 ? EXIT.changesPending : EXIT.ok;
}

async function planAlone(options: PlanOptions): Promise<PlanResult> {
  const stop = abortOnSignal();
  const config = await loadConfig(options.config);
  const { repository } = options;
  const environment = findEnvironment(config, options);
  const { cluster, namespace, name } = environment;
  const secrets = resolveSecrets(config, { role: 'plan', repository, environment: name });
  const access = await clusterAccess(config, cluster);
  const redactor = createGrowingRedactor(secrets.values);
  const { helm, helmfile } = await ensureTools(['helm', 'helmfile']);
  const folder = await mkdtemp(join(tmpdir(), 'slipway-plan-'));
  try {
    const deps = createClusterDeps({
      ...{ config, cluster, access, secrets, folder, tools: { helm, helmfile }, redactor },
      logs: { append: () => Promise.resolve() },
      plans: { store: () => Promise.resolve() },
      health: { store: () => Promise.resolve() },
    });
    const commit = options.commit ?? (await deps.mirror(repository).head(stop));
    const deployment: DeploymentRef = {
      ...{ cluster, namespace, repository, environment: name, commit },
      deploymentId: 'plan',
    };
    const renderAll = options.all ?? false;
    return await deps.withHelmfile(deployment, 0, stop, (running) =>
      makePlan(deps, deployment, running, { force: false, manual: renderAll, renderAll }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function findEnvironment(
  config: Config,
  { repository, environment }: PlanOptions,
): EnvironmentConfig {
  const found = config.repositories.get(repository);
  if (!found) {
    const known = [...config.repositories.keys()].join(', ');
    throw new Refusal('not-found', `There is no repository "${repository}"; known: ${known}.`);
  }
  const known = [...found.environments.keys()].join(', ');
  const chosen = found.environments.get(environment);
  if (chosen) return chosen;
  throw new Refusal('not-found', `${repository} has no environment "${environment}": ${known}.`);
}

function inWords(plan: PlanResult): string {
  const { services, adopted = [], untouched = [], unchanged = 0, restart = [], diff } = plan;
  const rows = [
    ...services.map(({ name, action = '', reason = '' }) => [name, action, reason]),
    ...restart.map((workload) => [workload, 'restart', 'after the apply']),
    ...untouched.map(({ name, state, note }) => [name, state, note]),
    ...adopted.map(({ name }) => [name, 'unchanged', 'runs what the commit says']),
  ];
  const table = [['SERVICE', 'ACTION', 'REASON'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const same = unchanged + adopted.length;
  const sum = `${services.length} to change, ${same} unchanged`;
  const changes = diff && diff.services.length > 0 ? `\n${renderPlanDiff(diff)}` : '';
  return `${rows.length > 0 ? `${lines.join('\n')}\n` : ''}${sum}\n${changes}`;
}

import type {
  DeploymentEnd,
  DeploymentRequest,
  ReleaseInput,
  ReleaseTarget,
} from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';

/** Text for Temporal's UI, in Markdown. */

/** The first digits of a commit id, as people quote it. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 8);
}

/** What a deployment is to do, in a line. */
export function aimInWords(request: DeploymentRequest): string {
  const { environment, commit, title, kind, releaseNumber } = request;
  return kind === 'rollback'
    ? `Roll back ${environment} to release #${releaseNumber}, ${shortCommit(commit)}: ${title}`
    : `Deploy ${shortCommit(commit)} to ${environment}: ${title}`;
}

/** The subject of what is said of a deployment. */
export function subjectOf({ environment, kind, releaseNumber }: DeploymentRequest): string {
  const name = `**${environment}**`;
  return kind === 'rollback' ? `Rollback of ${name} to release #${releaseNumber}:` : name;
}

/** A release in a few lines: what it is and where each environment stands. */
export function releaseDetails(
  input: ReleaseInput,
  title: string,
  targets: readonly ReleaseTarget[],
  ends: ReadonlyMap<string, DeploymentEnd>,
): string {
  const lines = targets.map((target) => {
    const end = ends.get(target.deploymentId);
    return `- **${target.environment}**: ${end ? endInWords(end) : 'under way or waiting its turn'}`;
  });
  const back = input.kind === 'rollback' ? `Rollback to release #${input.releaseNumber}: ` : '';
  const commit = `**${input.repository}** ${shortCommit(input.commit)} "${title}"`;
  return [`${back}${commit}`, '', ...lines].join('\n');
}

/** How a deployment ended, with the reason where there is one. */
export function endInWords({ phase, cause }: { phase: string; cause?: CauseReport }): string {
  return cause ? `${phase}: ${cause.sentence}` : phase;
}

import { laneWorkflowId } from '../src/contract/workflow/ids.ts';
import type {
  DeploymentEnd,
  DeploymentRequest,
  ReleaseInput,
  ReleaseTarget,
} from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { sayDuration, sayTime } from '../src/domain/gates/say-time.ts';
import type { RolloutPolicy } from '../src/domain/rollout.ts';

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

/** A release of which it is not known yet what it is. */
export function unreadDetails({ repository, commit }: ReleaseInput): string {
  return `**${repository}** ${shortCommit(commit)}: reading from git what the commit says`;
}

/** A release in a few lines: what it is and where each environment stands. */
export function releaseDetails(
  input: ReleaseInput,
  title: string,
  targets: readonly ReleaseTarget[],
  progress: { ends: ReadonlyMap<string, DeploymentEnd>; submitted: ReadonlySet<string> },
): string {
  const { ends, submitted } = progress;
  const standing = (target: ReleaseTarget) => {
    const end = ends.get(target.deploymentId);
    if (end) return endInWords(end);
    if (submitted.has(target.deploymentId))
      return `under way, or queued in ${laneWorkflowId(target)}`;
    const before = targets.filter(
      ({ environment, deploymentId }) =>
        target.after.includes(environment) && !ends.has(deploymentId),
    );
    const names = before.map(({ environment }) => environment).join(' and ');
    return names === '' ? 'is next' : `waits for ${names}`;
  };
  const lines = targets.map((target) => `- **${target.environment}**: ${standing(target)}`);
  const back = input.kind === 'rollback' ? `Rollback to release #${input.releaseNumber}: ` : '';
  const commit = `**${input.repository}** ${shortCommit(input.commit)} "${title}"`;
  return [`${back}${commit}`, '', ...lines].join('\n');
}

/** A lane in a few lines: what runs, and what waits for that, the next one first. */
export function laneDetails(
  running: DeploymentRequest | undefined,
  waiting: readonly DeploymentRequest[],
  trouble = '',
): string {
  const name = ({ deploymentNumber, releaseNumber, commit }: DeploymentRequest) =>
    `deployment ${deploymentNumber} of release #${releaseNumber} (${shortCommit(commit)})`;
  const lines = [
    running ? `Runs ${name(running)}.` : 'Nothing runs.',
    ...waiting.map((request, index) => `${index + 1}. waits: ${name(request)}`),
  ];
  return [...lines, ...(trouble === '' ? [] : ['', trouble])].join('\n');
}

/** What a verification waits for, and until when. */
export function rolloutInWords(
  { services }: { services: readonly { name: string }[] },
  { timeoutMs, soakMs }: Pick<RolloutPolicy, 'timeoutMs' | 'soakMs'>,
): string {
  const names = services.map(({ name }) => name).join(', ');
  const soak = soakMs === 0 ? '' : ` and keeps it healthy for ${sayDuration(soakMs)}`;
  const now = Date.now();
  const end = sayTime(
    new Date(now + timeoutMs + soakMs).toISOString(),
    new Date(now).toISOString(),
  );
  return `Waiting until Kubernetes runs ${names}${soak}; given up at ${end}`;
}

/** Why what a worker should do does not begin, though Temporal knows of one. */
export function busyInWords(cluster: string): string {
  const now = new Date().toISOString();
  return `The workers of cluster ${cluster} are busy, or just went away: asked again at ${sayTime(now, now)}`;
}

/** How a deployment ended, with the reason where there is one. */
export function endInWords({ phase, cause }: { phase: string; cause?: CauseReport }): string {
  return cause ? `${phase}: ${cause.sentence}` : phase;
}

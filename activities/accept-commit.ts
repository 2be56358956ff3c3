import type { Mirror } from '../src/adapters/git/mirror.ts';
import type { ServiceActivities } from '../src/contract/workflow/activities.ts';
import type { DeploymentEnd } from '../src/contract/workflow/payloads.ts';
import { SlipwayError } from '../src/domain/errors.ts';

export interface AcceptDeps {
  mirror: (repository: string) => Mirror;
  deployments: { findEnd: (deploymentId: string) => Promise<DeploymentEnd | undefined> };
  acceptedCommits: {
    acceptedCommit: (repository: string, name: string) => Promise<string | undefined>;
    accept: (input: {
      repository: string;
      environment: string;
      commit: string;
      deploymentId: string;
    }) => Promise<void>;
  };
  holds: {
    find: (place: { repository: string; name: string }) => Promise<object | undefined>;
    hold: (input: {
      repository: string;
      name: string;
      reason: string;
      actor: string;
      requestId: string;
    }) => Promise<unknown>;
  };
}

type Input = Parameters<ServiceActivities['acceptCommit']>[0];

/** Notes what an environment accepted last, and holds it where the next merge would undo that. */
export async function acceptCommit(
  deps: AcceptDeps,
  input: Input,
  signal: AbortSignal,
): Promise<DeploymentEnd | undefined> {
  const { repository, environment, commit } = input;
  // A lane that was lost and came back may know a deployment that ended meanwhile.
  const end = await deps.deployments.findEnd(input.deploymentId);
  if (end) return end;
  // Held first: done again after a crash, the comparison would find nothing older.
  if (input.kind !== 'automatic') await holdWhenOlder(deps, input, signal);
  const { deploymentId } = input;
  await deps.acceptedCommits.accept({ repository, environment, commit, deploymentId });
  return undefined;
}

async function holdWhenOlder(deps: AcceptDeps, input: Input, signal: AbortSignal): Promise<void> {
  const { repository, environment: name, commit, deploymentId: requestId } = input;
  const accepted = await deps.acceptedCommits.acceptedCommit(repository, name);
  if (accepted === undefined || accepted === commit) return;
  try {
    if (!(await deps.mirror(repository).isAncestor(commit, accepted, signal))) return;
  } catch (error) {
    // The checkout of the deployment meets the same trouble, and reports it.
    if (error instanceof SlipwayError) return;
    throw error;
  }
  // What a person said about a hold stands.
  if (await deps.holds.find({ repository, name })) return;
  const older = `Release #${input.releaseNumber} (${commit.slice(0, 8)}) was deployed on purpose`;
  const reason = `${older}, though ${accepted.slice(0, 8)} is newer: the next merge would undo it.`;
  await deps.holds.hold({ repository, name, reason, actor: 'slipway', requestId });
}

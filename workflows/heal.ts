import { isCancellation } from '@temporalio/workflow';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { onCluster, type Underway } from './activity-options.ts';
import { shortCommit } from './details.ts';
import { failedActivity } from './failures.ts';

/**
 * Heals what the last attempt left half-done, because nobody comes after it who would. Answers what was
 * found, in a sentence; empty when nothing was half-done.
 */
export async function healAfter(
  underway: Underway,
  deployment: DeploymentRef,
  attempt: number,
  services: string[],
): Promise<string> {
  const { environment, commit } = underway;
  const { heal } = onCluster(underway, `${environment} at ${shortCommit(commit)}`);
  try {
    const { healed } = await heal({ deployment, attempt, services });
    return healed.length === 0 ? '' : `Healed afterwards: ${healed.join('; ')}.`;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const why = failedActivity(error).cause.sentence;
    return `What it left could not be looked at, so the next deployment does: ${why}`;
  }
}

import { isCancellation } from '@temporalio/workflow';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { onCluster, type Underway } from './activity-options.ts';
import { failedActivity } from './failures.ts';

export interface Found {
  /** Nothing was half-done. */
  clean: boolean;
  /** What was found, in words; empty where there is nothing to say. */
  sentence: string;
}

/** Heals what the last attempt left half-done, because nobody comes after it who would. */
export async function healAfter(
  underway: Underway,
  deployment: DeploymentRef,
  attempt: number,
  services: string[],
): Promise<Found> {
  const { heal } = onCluster(underway);
  try {
    const { healed, applied = [] } = await heal({ deployment, attempt, services });
    const names = applied.map(({ service }) => service);
    const sentences = [
      ...(names.length > 0 ? [`Helm had brought ${names.join(', ')} to its end.`] : []),
      ...(healed.length > 0 ? [`Healed afterwards: ${healed.join('; ')}.`] : []),
    ];
    return { clean: healed.length === 0, sentence: sentences.join(' ') };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const why = failedActivity(error).cause.sentence;
    const sentence = `What it left could not be looked at, so the next deployment does: ${why}`;
    return { clean: false, sentence };
  }
}

import type { PollInput, PollResult } from '../src/contract/workflow/payloads.ts';
import { pollHead } from './activity-options.ts';

/** Looks at a branch once, so that a push whose webhook never came is found. */
export async function pollWorkflow(input: PollInput): Promise<PollResult> {
  return pollHead(input);
}

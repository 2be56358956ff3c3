import type { DeploymentKind } from '../../domain/overtaking.ts';
import type { Tx } from './database.ts';
import { notifyInbox } from './notifications.ts';
import { json, newId } from './values.ts';

/** What a person asked for of a release. */
export interface RunOrder {
  release: { id: string; repository: string };
  run: number;
  kind: Exclude<DeploymentKind, 'automatic'>;
  environments?: string[];
  force: boolean;
}

/** Puts the order to start a run of a release into the inbox. */
export async function orderRun(tx: Tx, input: RunOrder): Promise<void> {
  await tx
    .insertInto('inbox')
    .values({
      id: newId('inb'),
      source: 'api',
      repository: input.release.repository,
      release_id: input.release.id,
      run: input.run,
      kind: input.kind,
      environments: input.environments ? json(input.environments) : null,
      force: input.force,
    })
    .execute();
  await notifyInbox(tx);
}

/** Counts one more run of a release, which is queued from now on: the next request finds it on its way. */
export async function countRun(tx: Tx, release: { id: string; runs: number }): Promise<number> {
  const run = release.runs + 1;
  await tx
    .updateTable('releases')
    .set({ runs: run, phase: 'queued', ended_at: null })
    .where('id', '=', release.id)
    .execute();
  return run;
}

import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { checkOut } from './checkout.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { inputsDigest, readDeclared } from './declared-services.ts';
import { beating } from './heartbeat.ts';

/** Reads what the commit itself says of an environment; a plan right after it evaluates nothing again. */
export function createReadInputs(deps: ClusterDeps): ClusterActivities['readInputs'] {
  return (place) =>
    beating(async (signal) => {
      await checkOut(deps, place, signal);
      return deps.withHelmfile(place, 0, signal, async (helmfile) => {
        const declared = await readDeclared(deps, place, helmfile);
        const proves = declared.every(({ notUnderstood }) => notUnderstood === undefined);
        return proves ? { inputs: inputsDigest(deps, place, declared) } : {};
      });
    });
}

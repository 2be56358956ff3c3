import type { ClusterView } from '../../activities/cluster-deps.ts';
import { observedOnly } from '../domain/errors.ts';

/** The same view of a cluster, in which all that writes is refused, whoever asks for it. */
export function readOnlyView(view: ClusterView, environment: string): ClusterView {
  const refuse = () => Promise.reject(observedOnly(environment));
  return {
    ...view,
    restart: refuse,
    markHelmRevisionFailed: refuse,
    supersedeOlderRevisions: refuse,
    lease: { look: () => view.lease.look(), hold: refuse },
  };
}

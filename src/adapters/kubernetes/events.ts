import type { EventFacts } from '../../domain/why/evidence.ts';
import { ask, type KubernetesApi } from './client.ts';

const EVENTS_MAX = 20;

/** What Kubernetes told lately about these objects of a namespace, oldest first. */
export async function listEvents(
  api: KubernetesApi,
  namespace: string,
  names: readonly string[],
): Promise<EventFacts[]> {
  const lists = await ask(`reading events in ${namespace}`, () =>
    Promise.all(
      // One request for each name: all events of a namespace may be thousands.
      names.map((name) =>
        api.core.listNamespacedEvent({
          namespace,
          fieldSelector: `involvedObject.name=${name}`,
          limit: 100,
        }),
      ),
    ),
  );
  return lists
    .flatMap(({ items }) => items)
    .map((event) => ({
      at: (event.lastTimestamp ?? event.metadata.creationTimestamp)?.getTime(),
      facts: {
        object: `${event.involvedObject.kind ?? ''}/${event.involvedObject.name ?? ''}`,
        type: event.type ?? '',
        reason: event.reason ?? '',
        message: event.message ?? '',
        count: event.count ?? 1,
      },
    }))
    .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
    .slice(-EVENTS_MAX)
    .map(({ facts }) => facts);
}

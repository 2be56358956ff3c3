import type { LogTail } from '../../domain/why/evidence.ts';
import { ask, type KubernetesApi } from './client.ts';

const LINES = 20;
const BYTES_MAX = 64 * 1024;

/**
 * The last lines of a container's log, of its previous run where there was one: that is the run which
 * failed. Nothing where no log can be had.
 */
export async function readLastLines(
  api: KubernetesApi,
  namespace: string,
  pod: string,
  container: string,
): Promise<LogTail | undefined> {
  for (const previous of [true, false]) {
    const text = await read(api, namespace, pod, container, previous);
    // The kubelet answers so, as if it were a log, when the run's log was removed meanwhile.
    if (text === '' || text.startsWith('unable to retrieve container logs')) continue;
    const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
    return { container, previous, lines: lines.filter((line) => line !== '').slice(-LINES) };
  }
  return undefined;
}

async function read(
  api: KubernetesApi,
  namespace: string,
  name: string,
  container: string,
  previous: boolean,
): Promise<string> {
  try {
    const where = { namespace, name, container, previous };
    const bounds = { tailLines: LINES, limitBytes: BYTES_MAX };
    return await ask(`reading the log of ${name}`, () =>
      api.core.readNamespacedPodLog({ ...where, ...bounds }),
    );
  } catch {
    // No previous run, not started yet, node away: none of it hinders the explanation.
    return '';
  }
}

import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { readKubeconfig, type ClusterAccess } from '../adapters/kubernetes/access.ts';

/** A cluster as the person at the terminal reaches it: a context of their own kubeconfig. */
export function ownCluster(context: string): Promise<Omit<ClusterAccess, 'namespace'>> {
  const [first = ''] = (process.env.KUBECONFIG ?? '').split(delimiter);
  return readKubeconfig(first === '' ? join(homedir(), '.kube', 'config') : first, context);
}

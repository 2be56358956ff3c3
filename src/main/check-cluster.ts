import { parseManifests } from '../adapters/helmfile/manifests.ts';
import type { Helmfile } from '../adapters/helmfile/helmfile.ts';
import type { ClusterAccess } from '../adapters/kubernetes/access.ts';
import { openKubernetes } from '../adapters/kubernetes/client.ts';
import { readManifests } from '../adapters/kubernetes/helm-releases.ts';
import { servedKinds } from '../adapters/kubernetes/served-kinds.ts';
import type { EnvironmentFacts } from '../domain/check/facts.ts';
import { apiVersionsOf, checkServed } from '../domain/check/served.ts';
import type { Note } from '../domain/import/note.ts';

/** Compares what the sound services of an environment render, and what Helm deployed, with a cluster. */
export async function checkAgainstCluster(
  helmfile: Helmfile,
  { environment, services }: EnvironmentFacts,
  access: ClusterAccess,
): Promise<Note[]> {
  const { namespace } = access;
  const sound = services.filter(({ missing, chartFault }) => missing.length === 0 && !chartFault);
  const names = sound.map(({ name }) => name);
  const [rendered, deployed] = await Promise.all([
    helmfile.render(names),
    readManifests(openKubernetes(access), namespace, names),
  ]);
  const found = sound.map(({ name, source }) => ({
    ...{ name, source },
    rendered: parseManifests(rendered.get(name) ?? '', namespace),
    deployed: parseManifests(deployed.get(name) ?? '', namespace),
  }));
  const served = await servedKinds(access, apiVersionsOf(found));
  return checkServed(found, served, environment);
}

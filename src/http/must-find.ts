import type { Store } from '../adapters/postgres/store.ts';
import type { Deployment } from '../contract/api/deployment.ts';
import type { Environment } from '../contract/api/environment.ts';
import { Refusal } from '../domain/errors.ts';

/** What a path names; a refusal says that it is not there. */

/** @param id or short number */
export async function mustFindDeployment(
  { deployments }: Pick<Store, 'deployments'>,
  id: string,
): Promise<Deployment> {
  const deployment = await deployments.find(id);
  if (deployment) return deployment;
  throw new Refusal('not-found', `There is no deployment ${id}.`);
}

export async function mustFindEnvironment(
  { environments }: Pick<Store, 'environments'>,
  { repository, name }: { repository: string; name: string },
): Promise<Environment> {
  const environment = await environments.find(repository, name);
  if (environment) return environment;
  throw new Refusal('not-found', `There is no environment ${repository}/${name}.`);
}

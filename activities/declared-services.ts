import type { DeclaredInput } from '../src/adapters/helmfile/environment-inputs.ts';
import type { Helmfile } from '../src/adapters/helmfile/helmfile.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import type { DeclaredService } from '../src/domain/plan/plan-services.ts';
import type { ClusterDeps } from './cluster-deps.ts';

/** A service that the commit declares: what a plan compares, and what it was read from. */
export interface Declared extends DeclaredService {
  input: DeclaredInput;
}

// Another number makes every service compared by its manifests once, and upgrades nothing.
const FORMAT = 'slipway fingerprint 1';

/** What the commit declares for the environment now. */
export async function readDeclared(
  deps: Pick<ClusterDeps, 'digest'>,
  deployment: DeploymentRef,
  helmfile: Helmfile,
): Promise<Declared[]> {
  const inputs = await helmfile.declared();
  return inputs.map((input) => {
    checkNamespace(input, deployment);
    const { name, removed, chart, version, evaluated, found } = input;
    const files = JSON.stringify([...input.files, ...found.files]);
    const texts = [FORMAT, name, chart, version, evaluated, files];
    const notUnderstood = input.notUnderstood ?? found.notUnderstood;
    return {
      ...{ name, removed, input, fingerprint: deps.digest(deployment, texts) },
      ...(found.version === undefined ? {} : { chartVersion: found.version }),
      ...(found.digest === undefined ? {} : { chartDigest: found.digest }),
      ...(notUnderstood === undefined ? {} : { notUnderstood }),
    };
  });
}

/** Digest over what the commit itself says of its services: a chart that moves within its range changes nothing of it. */
export function inputsDigest(
  deps: Pick<ClusterDeps, 'digest'>,
  deployment: DeploymentRef,
  declared: readonly Declared[],
): string {
  const lines = declared.map(({ name, removed, fingerprint }) =>
    JSON.stringify([name, removed, fingerprint]),
  );
  return deps.digest(deployment, lines.sort());
}

/**
 * Digest over everything that the apply reads, so that the apply can tell that nothing has changed.
 *
 * @param unstable names of services whose input is never the same twice
 */
export function environmentDigest(
  deps: Pick<ClusterDeps, 'digest'>,
  deployment: DeploymentRef,
  declared: readonly Declared[],
  unstable: ReadonlySet<string>,
): string {
  const lines = declared.map(({ name, removed, fingerprint, chartVersion, chartDigest }) =>
    JSON.stringify([
      ...[name, removed, unstable.has(name) ? 'unstable' : fingerprint],
      ...[chartVersion ?? '', chartDigest ?? ''],
    ]),
  );
  return deps.digest(deployment, lines.sort());
}

function checkNamespace(
  { name, namespace: asked }: DeclaredInput,
  { environment, namespace }: DeploymentRef,
): void {
  if (asked === '' || asked === namespace) return;
  throw new SlipwayError(
    'repository-refused',
    `${name} goes to namespace "${asked}", but ${environment} is namespace ` +
      `"${namespace}": an environment releases into its own namespace only.`,
  );
}

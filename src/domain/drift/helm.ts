import type { RecordedService } from '../plan/plan-services.ts';
import type { HelmReleaseFacts } from '../services.ts';

/**
 * How a Helm release differs from what the last success left. `missing`: it is gone. `revision`: somebody
 * made another one. `status`: Helm does not call it deployed. `undeclared`: nobody released it from here.
 */
export const HELM_FINDINGS = ['missing', 'revision', 'status', 'undeclared'] as const;

export interface HelmFinding {
  service: string;
  finding: (typeof HELM_FINDINGS)[number];
  /** For people. */
  note: string;
}

/**
 * Compares the Helm releases of a namespace with what is remembered of its services. A service that has
 * failed since is not as it was left, but everybody was told so: it is left out.
 */
export function findHelmDrift(
  recorded: readonly RecordedService[],
  helmReleases: readonly HelmReleaseFacts[],
): HelmFinding[] {
  const known = recorded.flatMap((record) => {
    if (record.lastEnd === 'failed') return [];
    const release = helmReleases.find(({ service }) => service === record.name);
    return finding(record, release) ?? [];
  });
  const undeclared = helmReleases
    .filter(({ service, status }) => status !== 'uninstalled' && !isKnown(recorded, service))
    .map(({ service, helmRevision }): HelmFinding => ({
      ...{ service, finding: 'undeclared' },
      note: `revision ${helmRevision} is there, and Slipway did not deploy it`,
    }));
  return [...known, ...undeclared].sort((a, b) => (a.service < b.service ? -1 : 1));
}

function finding(
  { name: service, helmRevision }: RecordedService,
  release: HelmReleaseFacts | undefined,
): HelmFinding | undefined {
  if (!release || release.status === 'uninstalled') {
    return { service, finding: 'missing', note: 'its Helm release was uninstalled' };
  }
  if (helmRevision !== undefined && release.helmRevision !== helmRevision) {
    const said = release.description === '' ? '' : `: ${release.description.slice(0, 200)}`;
    const note = `revision ${release.helmRevision} is not the one that was left (${helmRevision})${said}`;
    return { service, finding: 'revision', note };
  }
  if (release.status === 'deployed') return undefined;
  return { service, finding: 'status', note: `Helm says ${release.status}` };
}

function isKnown(recorded: readonly RecordedService[], service: string): boolean {
  return recorded.some(({ name }) => name === service);
}

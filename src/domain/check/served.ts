import { member, type Resource } from '../diff/resource.ts';
import type { Note } from '../import/note.ts';

/** The resources of a service: as the repository renders them, and as Helm deployed them. */
export interface ServiceResources {
  name: string;
  /** The helmfile that declares it. */
  source: string;
  rendered: readonly Resource[];
  deployed: readonly Resource[];
}

/** Every API version that the resources use. */
export function apiVersionsOf(services: readonly ServiceResources[]): Set<string> {
  const all = services.flatMap(({ rendered, deployed }) => [...rendered, ...deployed]);
  return new Set(all.map(apiVersionOf));
}

/**
 * What a cluster does not serve of what services need. Kinds that a service defines itself are left out.
 *
 * @param served kinds of the cluster, as `apiVersion kind`
 */
export function checkServed(
  services: readonly ServiceResources[],
  served: ReadonlySet<string>,
  environment: string,
): Note[] {
  const own = new Set(services.flatMap(({ rendered }) => rendered.flatMap(definedGroup)));
  const unserved = (resources: readonly Resource[]) => {
    const kinds = resources
      .filter(({ group }) => !own.has(group))
      .map((resource) => `${apiVersionOf(resource)} ${resource.kind}`);
    return [...new Set(kinds)].filter((kind) => !served.has(kind));
  };
  return services.flatMap(({ name, source, rendered, deployed }) => {
    const wanted = unserved(rendered);
    const left = unserved(deployed).filter((kind) => !wanted.includes(kind));
    const texts = [
      ...wanted.map((kind) => `${name} has ${inWords(kind)}, which the cluster does not serve`),
      ...left.map(
        (kind) =>
          `${name} was deployed with ${inWords(kind)}, which the cluster no longer serves: Helm cannot upgrade it`,
      ),
    ];
    return texts.map((text): Note => ({
      ...{ kind: 'wrong already', file: source, line: 0, text },
      environments: [environment],
    }));
  });
}

function apiVersionOf({ content }: Resource): string {
  const apiVersion = member(content, 'apiVersion');
  return typeof apiVersion === 'string' ? apiVersion : '';
}

function definedGroup({ kind, content }: Resource): string[] {
  const group = member(member(content, 'spec'), 'group');
  return kind === 'CustomResourceDefinition' && typeof group === 'string' ? [group] : [];
}

function inWords(kind: string): string {
  const [apiVersion = '', name = ''] = kind.split(' ');
  return `${name} (${apiVersion})`;
}

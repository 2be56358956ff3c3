import type { Note } from '../import/note.ts';
import type { ServiceFacts, VersionsFacts } from './facts.ts';

/**
 * Version keys that nobody reads, and services whose version nobody set. An environment that cannot be
 * evaluated must not be among the facts: whatever it reads would be missing.
 */
export function checkVersions({ file, keys, environments }: VersionsFacts): Note[] {
  const known = new Set(keys.map(({ key }) => key));
  const names = environments.map(({ environment }) => environment);
  const services = environments.flatMap((one) => one.services);
  const unread = keys.filter(({ key }) => !services.some((service) => mayRead(service, key)));
  // Who reads without naming what may read any.
  const sure = !services.some(({ readsAnyVersion }) => readsAnyVersion);
  return [
    ...unread.map(({ key, line }): Note => ({
      ...{ kind: sure ? 'wrong already' : 'worth knowing', file, line, environments: names },
      text: `no service ${sure ? 'reads' : 'names'} the version key ${key}`,
    })),
    ...environments.flatMap(({ environment, services: own }) =>
      own.flatMap((service): Note[] => {
        const place = { file, line: 0, environments: [environment] };
        const absent = [...service.versionKeys].filter((key) => !known.has(key));
        if (absent.length > 0) {
          const text = `${service.name} reads the version key ${absent.join(', ')}, which is not there`;
          return [{ kind: 'wrong already', ...place, text }];
        }
        if (drivenBy(service, known) !== undefined || service.readsAnyVersion) return [];
        return [{ kind: 'worth knowing', ...place, text: `${service.name} has no version here` }];
      }),
    ),
  ];
}

/**
 * Which version key drives each service that has none of its own name, as `versionKeys` of slipway.yaml
 * wants it.
 *
 * @param known keys of the environment's `versions.yaml`
 */
export function versionKeysOf(
  services: readonly ServiceFacts[],
  known: ReadonlySet<string>,
): Map<string, string> {
  return new Map(
    services.flatMap((service) => {
      const key = drivenBy(service, known);
      return key === undefined || key === service.name ? [] : [[service.name, key] as const];
    }),
  );
}

/** The key of its own name, else the only one that its values name; never guessed. */
function drivenBy(service: ServiceFacts, known: ReadonlySet<string>): string | undefined {
  if (known.has(service.name)) return service.name;
  const [key, ...others] = [...service.versionKeys].filter((one) => known.has(one));
  return others.length === 0 ? key : undefined;
}

function mayRead({ name, versionKeys, readsAnyVersion }: ServiceFacts, key: string): boolean {
  return versionKeys.has(key) || (readsAnyVersion && name === key);
}

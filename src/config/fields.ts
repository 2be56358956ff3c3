/** Reading of a configuration that may be wrong anywhere: rules check what can be checked. */

/** The keys of a map; none where it is something else. */
export function fields(value: unknown): ReadonlyMap<string, unknown> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return new Map(isMap ? Object.entries(value) : []);
}

/** The value at a path, or undefined. */
export function valueAt(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((node, key) => fields(node).get(key), value);
}

/** The text at a path, or undefined. */
export function textAt(value: unknown, ...path: string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** An environment as it was written. */
export interface WrittenEnvironment {
  repository: string;
  name: string;
  path: readonly string[];
  value: unknown;
}

/** Every environment of every repository. */
export function writtenEnvironments(raw: unknown): WrittenEnvironment[] {
  return [...fields(valueAt(raw, 'repositories'))].flatMap(([repository, written]) =>
    [...fields(valueAt(written, 'environments'))].map(([name, value]) => ({
      repository,
      name,
      path: ['repositories', repository, 'environments', name],
      value,
    })),
  );
}

import { fields, textAt, valueAt, writtenEnvironments } from './fields.ts';
import type { WrittenEnvironment } from './fields.ts';
import { checkOrder } from './order-rules.ts';
import { formatPath, quote, type Finding, type Path } from './problems.ts';
import { unknownName } from './unknown-name.ts';
import { checkValues } from './value-rules.ts';

/** What must fit together across a configuration; also of one that is wrong elsewhere. */
export function checkRules(raw: unknown): Finding[] {
  const environments = writtenEnvironments(raw);
  return [
    ...checkValues(raw, environments),
    ...checkClusters(raw),
    ...environments.flatMap((environment) => checkCluster(raw, environment)),
    ...checkOrder(environments),
    ...checkNamespaces(raw, environments),
  ];
}

function checkClusters(raw: unknown): Finding[] {
  return [...fields(valueAt(raw, 'clusters'))].flatMap(([name, value]) => {
    const path = ['clusters', name];
    const keys = fields(value);
    if (!keys.has('kubeconfig')) {
      if (keys.has('server') || typeof value !== 'object' || value === null) return [];
      const message = `${formatPath(path)} has neither server nor kubeconfig`;
      return [{ path, at: 'key', message, fix: 'add one of them' } satisfies Finding];
    }
    return ['server', 'certificateAuthority', 'token']
      .filter((key) => keys.has(key))
      .map((key): Finding => {
        const message = `${formatPath([...path, key])} cannot stand beside kubeconfig`;
        return { path: [...path, key], at: 'key', message, fix: 'remove one of them' };
      });
  });
}

function checkCluster(raw: unknown, { path, value }: WrittenEnvironment): Finding[] {
  const cluster = textAt(value, 'cluster');
  if (cluster === undefined) return [];
  const clusters = fields(valueAt(raw, 'clusters'));
  if (!clusters.has(cluster)) {
    return [unknownName([...path, 'cluster'], 'cluster', cluster, [...clusters.keys()])];
  }
  const keys = fields(clusters.get(cluster));
  // A kubeconfig brings its own credentials; http on loopback is `kubectl proxy`, which needs none.
  const server = keys.has('kubeconfig') ? undefined : keys.get('server');
  const needsToken = typeof server === 'string' && server.startsWith('https:');
  if (!needsToken || keys.has('token') || fields(value).has('token')) return [];
  const message = `${formatPath(path)} has no token, and neither has clusters.${cluster}`;
  return [{ path, at: 'key', message, fix: 'add one of them' }];
}

function checkNamespaces(raw: unknown, environments: readonly WrittenEnvironment[]): Finding[] {
  const taken = new Map<string, { path: Path; cluster: string }>();
  return environments.flatMap(({ name, path, value }): Finding[] => {
    const cluster = textAt(value, 'cluster');
    if (cluster === undefined) return [];
    const own = textAt(value, 'namespace');
    const namespace = own ?? name;
    const key = JSON.stringify([clusterIdentity(raw, cluster), namespace]);
    const first = taken.get(key);
    if (first === undefined) {
      taken.set(key, { path, cluster });
      return [];
    }
    const alias =
      first.cluster === cluster ? '' : `, which is cluster ${quote(first.cluster)} too,`;
    return [
      {
        path: own === undefined ? path : [...path, 'namespace'],
        at: own === undefined ? 'key' : 'value',
        message: `namespace ${quote(namespace)} of cluster ${quote(cluster)}${alias} is taken by`,
        other: first.path,
        fix: 'one namespace belongs to one environment',
      },
    ];
  });
}

/** Two names of one API server must not let two environments into one namespace. */
function clusterIdentity(raw: unknown, cluster: string): string {
  const value = valueAt(raw, 'clusters', cluster);
  const server = textAt(value, 'server');
  if (server !== undefined) return URL.parse(server)?.href ?? server;
  const file = textAt(value, 'kubeconfig', 'file');
  const context = textAt(value, 'kubeconfig', 'context');
  return file === undefined ? cluster : JSON.stringify([file, context]);
}

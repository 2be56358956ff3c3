import { isReservedVariable } from '../domain/reserved-variables.ts';
import { DURATION_MS_MAX, parseDuration } from './duration.ts';
import { fields, textAt, valueAt, type WrittenEnvironment } from './fields.ts';
import { cronFault, isTimezone } from './freeze-calendar.ts';
import { formatPath, quote, type Finding, type Path } from './problems.ts';
import { gitUrlFault, webUrlFault, type UrlFault } from './urls.ts';

/** Single values that a pattern in the schema cannot judge, or not in words. */
export function checkValues(raw: unknown, environments: readonly WrittenEnvironment[]): Finding[] {
  return [
    ...checkUrl(raw, ['server', 'url'], webUrlFault),
    ...eachOf(raw, 'clusters', (path) => checkUrl(raw, [...path, 'server'], webUrlFault)),
    ...eachOf(raw, 'repositories', (path) => [
      ...checkUrl(raw, [...path, 'url'], gitUrlFault),
      ...[...fields(valueAt(raw, ...path, 'versionSources')).keys()].flatMap((key) =>
        checkUrl(raw, [...path, 'versionSources', key, 'git'], gitUrlFault),
      ),
    ]),
    ...checkPort(raw, ['server', 'listen']),
    ...checkPort(raw, ['temporal', 'address']),
    ...environments.flatMap((environment) => [
      ...checkDurations(environment),
      ...checkVariables(environment),
      ...checkFreezes(environment),
    ]),
  ];
}

function eachOf(raw: unknown, map: string, check: (path: string[]) => Finding[]): Finding[] {
  return [...fields(valueAt(raw, map)).keys()].flatMap((name) => check([map, name]));
}

function checkUrl(raw: unknown, path: string[], judge: (text: string) => UrlFault): Finding[] {
  const text = textAt(raw, ...path);
  const fault = text === undefined ? undefined : judge(text);
  return fault === undefined ? [] : [wrongValue(path, fault)];
}

function checkPort(raw: unknown, path: string[]): Finding[] {
  const port = /:([0-9]{1,5})$/.exec(textAt(raw, ...path) ?? '')?.[1];
  return port !== undefined && Number(port) > 65_535
    ? [wrongValue(path, 'has a port above 65535')]
    : [];
}

function checkDurations({ path, value }: WrittenEnvironment): Finding[] {
  const keys = [
    ['retry', 'backoff'],
    ['retry', 'limit'],
    ['rollout', 'timeout'],
    ['rollout', 'soak'],
    ['approval', 'expires'],
  ];
  const after = valueAt(value, 'after');
  const soaks = (Array.isArray(after) ? after : []).map((followed: unknown, index) => ({
    key: ['after', index, 'soak'],
    text: textAt(followed, 'soak'),
  }));
  const written = keys.map((key) => ({ key, text: textAt(value, ...key) }));
  return [...written, ...soaks].flatMap(({ key, text = '' }) => {
    if ((parseDuration(text) ?? 0) <= DURATION_MS_MAX) return [];
    return [wrongValue([...path, ...key], `must be at most ${DURATION_MS_MAX / 3_600_000}h`)];
  });
}

function checkVariables({ path, value }: WrittenEnvironment): Finding[] {
  return [...fields(valueAt(value, 'variables')).keys()].filter(isReservedVariable).map((name) => ({
    path: [...path, 'variables', name],
    at: 'key',
    message: `the variable ${quote(name)} is Slipway’s own`,
    fix: 'choose another name',
  }));
}

function checkFreezes({ path, value }: WrittenEnvironment): Finding[] {
  const written = valueAt(value, 'freeze');
  return (Array.isArray(written) ? written : []).flatMap((window: unknown, index) => {
    const at = [...path, 'freeze', index];
    const lines = ['cron', 'until'].flatMap((key) => {
      const line = textAt(window, key);
      const fault = line === undefined ? undefined : cronFault(line);
      return fault === undefined ? [] : [wrongValue([...at, key], fault)];
    });
    const timezone = textAt(window, 'timezone');
    if (timezone === undefined || isTimezone(timezone)) return lines;
    return [...lines, wrongValue([...at, 'timezone'], `names no time zone: ${quote(timezone)}`)];
  });
}

function wrongValue(path: Path, fault: string): Finding {
  return { path, at: 'value', message: `${formatPath(path)} ${fault}` };
}

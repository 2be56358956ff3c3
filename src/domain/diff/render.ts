import type { FieldDiff, PlanDiff, ResourceDiff } from './plan-diff.ts';

/** The whole diff of a plan as unified text; changes that are noise only are folded into their header. */
export function renderPlanDiff({ services, truncated }: PlanDiff): string {
  const parts = services.flatMap(({ service, resources }) =>
    resources.map((resource) => renderResource(service, resource)),
  );
  const { resources } = truncated;
  if (resources > 0) parts.push([`… ${count(resources, 'resource')} left out: too much to show`]);
  return parts.map((lines) => lines.map((line) => `${line}\n`).join('')).join('\n');
}

function renderResource(service: string, resource: ResourceDiff): string[] {
  const { kind, name, change, risk, noise, fields, text, truncated } = resource;
  const title = `${service} ${kind}/${name}`;
  const marks = [change, ...(risk ? [`risk: ${risk}`] : [])];
  const head = [`--- ${title}`, `+++ ${title} (${marks.join(', ')})`];
  if (noise)
    return [...head, `# folded: ${fields.map(({ pointer }: FieldDiff) => pointer).join(' ')}`];
  return [
    ...head,
    ...(text === '' ? [] : [text]),
    ...(truncated && truncated.lines > 0
      ? [`… ${count(truncated.lines, 'line')} left out: too much to show`]
      : []),
  ];
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

import { byText } from './resource.ts';
import type { PlanDiff, ResourceDiff, ServiceDiff } from './plan-diff.ts';

/** A plan is stored, sent and read as a whole. */
export const PLAN_DIFF_BYTES_MAX = 256 * 1024;
/** One huge resource must not take the place of all others. */
const SHARE_MAX = 1 / 4;
const FRAME = 200;

/**
 * Joins the services that change, in at most {@link PLAN_DIFF_BYTES_MAX} bytes as JSON: first which
 * resources change, then their fields, then their texts. What does not fit is left out and counted.
 */
export function joinDiffs(
  services: readonly ServiceDiff[],
  bytesMax = PLAN_DIFF_BYTES_MAX,
): PlanDiff {
  const budget = { left: bytesMax - FRAME };
  const kept: { from: ResourceDiff; to: ResourceDiff; truncated: Truncated }[] = [];
  const joined: PlanDiff = { services: [], truncated: { resources: 0, fields: 0, lines: 0 } };
  for (const service of [...services].sort((a, b) => byText(a.service, b.service))) {
    if (service.resources.length === 0) continue;
    const into: ServiceDiff = { service: service.service, resources: [] };
    // Before its first resource, so that a service is never shown without one.
    let frame = bytesOf(into) + 1;
    for (const from of service.resources) {
      const to: ResourceDiff = { ...from, fields: [], text: '' };
      const truncated = { fields: from.fields.length, lines: linesOf(from.text).length };
      if (!take(budget, frame + bytesOf({ ...to, truncated }) + 1)) {
        joined.truncated.resources += 1;
        continue;
      }
      frame = 0;
      into.resources.push(to);
      kept.push({ from, to, truncated });
    }
    if (into.resources.length > 0) joined.services.push(into);
  }
  for (const { from, to, truncated } of kept) {
    const taken = takeWhile(budget, bytesMax, from.fields);
    to.fields = from.fields.slice(0, taken);
    truncated.fields -= taken;
  }
  for (const { from, to, truncated } of kept) {
    const lines = linesOf(from.text);
    const taken = takeWhile(budget, bytesMax, lines);
    to.text = lines.slice(0, taken).join('\n');
    truncated.lines -= taken;
    if (truncated.fields + truncated.lines > 0) to.truncated = truncated;
    joined.truncated.fields += truncated.fields;
    joined.truncated.lines += truncated.lines;
  }
  return joined;
}

interface Truncated {
  fields: number;
  lines: number;
}

interface Budget {
  left: number;
}

function take(budget: Budget, bytes: number): boolean {
  if (bytes > budget.left) return false;
  budget.left -= bytes;
  return true;
}

/** How many items from the first one on still fit. */
function takeWhile(budget: Budget, bytesMax: number, items: readonly unknown[]): number {
  const share = { left: Math.min(budget.left, Math.floor(bytesMax * SHARE_MAX)) };
  const before = share.left;
  let taken = 0;
  while (taken < items.length && take(share, bytesOf(items[taken]) + 1)) taken += 1;
  budget.left -= before - share.left;
  return taken;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}

/** In UTF-8, as JSON. */
function bytesOf(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = text.length;
  // Half a surrogate pair counts two of the four bytes of a pair; JSON escapes one that stands alone.
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}

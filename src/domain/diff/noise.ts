import type { FieldChange } from './fields.ts';
import { stepsOf } from './pointer.ts';
import { isObject } from './resource.ts';

/** Labels that Helm's starter chart sets to the chart's and the application's version. */
const LABELS = new Set(['helm.sh/chart', 'app.kubernetes.io/version']);
const CHECKSUM = /(^|[/.-])checksum([/.-]|$)/;

/**
 * Whether a change only repeats what stands elsewhere: a label with the chart's or the application's
 * version, or the checksum of another resource. It is shown folded, never dropped.
 */
export function isNoise({ pointer, before, after }: FieldChange): boolean {
  const steps = stepsOf(pointer);
  const place = steps.lastIndexOf('metadata');
  const [map, key, ...deeper] = place === -1 ? [] : steps.slice(place + 1);
  const isNoiseKey = noiseKeysOf(map);
  if (!isNoiseKey || deeper.length > 0) return false;
  if (key !== undefined) return isNoiseKey(key);
  // The whole map is new or gone.
  const entries = before ?? after;
  const isOneSided = before === undefined || after === undefined;
  return isOneSided && isObject(entries) && Object.keys(entries).every(isNoiseKey);
}

function noiseKeysOf(map: string | undefined): ((key: string) => boolean) | undefined {
  if (map === 'labels') return (key) => LABELS.has(key);
  if (map === 'annotations') return (key) => CHECKSUM.test(key);
  return undefined;
}

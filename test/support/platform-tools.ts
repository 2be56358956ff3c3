import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import { PLATFORM_TOOLS } from '../../src/main/dev/part.ts';

/** The programs of a platform, and helmfile; installed when they are missing. */
export function platformTools() {
  return ensureTools([...PLATFORM_TOOLS, 'helmfile']);
}

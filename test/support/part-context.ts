import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlatformContext } from '../../src/main/dev/part.ts';
import { PLATFORM_VARIABLE } from '../../src/main/dev/platform-processes.ts';
import { startReaper } from '../../src/main/dev/reaper.ts';
import { platformTools } from './platform-tools.ts';

export interface TestParts {
  context: PlatformContext;
  tools: Awaited<ReturnType<typeof platformTools>>;
  /** Ends the parts' processes and removes their data. */
  close: () => Promise<void>;
}

/** What single parts of a platform need, for tests that do not need all of it. */
export async function createTestParts(): Promise<TestParts> {
  const tools = await platformTools();
  const folder = await mkdtemp(join(tmpdir(), 'slipway-parts-'));
  await mkdir(join(folder, 'logs'));
  const id = randomBytes(8).toString('hex');
  const reaper = await startReaper(id, folder);
  const env = { [PLATFORM_VARIABLE]: id, PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder };
  return {
    tools,
    context: { id, folder, env, tools, reaper },
    close: async () => {
      await reaper.close();
      await rm(folder, { recursive: true });
    },
  };
}

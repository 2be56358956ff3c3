import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { startPiped } from '../../src/adapters/process/piped.ts';
import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import { until } from '../support/until.ts';
import { NODE_FOLDER, NODE_TOOLS, removeTraces } from './real-node.ts';
import { nodeEnv, whyNoRealNode } from './requirements.ts';

const reason = await whyNoRealNode();
const title = reason === undefined ? 'a real node' : `a real node (skipped: ${reason})`;
const PARENT = join(import.meta.dirname, '../fixtures/node-parent.ts');

describe.skipIf(reason !== undefined)(title, () => {
  it('ends with the process that started it, however that ends', async () => {
    const tools = JSON.stringify(await ensureTools(NODE_TOOLS));
    const parent = await startPiped(process.execPath, [PARENT, tools], { env: nodeEnv() });
    const lines = createInterface({ input: parent.stdout });
    const first = await lines[Symbol.asyncIterator]().next();
    expect(first.value).toBe('up');
    expect((await itsProcesses()).length).toBeGreaterThan(5);

    process.kill(parent.pid, 'SIGKILL');

    await until(async () => (await itsProcesses()).length === 0);
    // What a killed node leaves in the kernel, the next one removes; here is none.
    await removeTraces();
  });
});

/** The command lines that name the node's folder: control plane, containerd, its shims, the kubelet. */
async function itsProcesses(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  // Under this name only: the reaper, which is the last to go, is told the folder too.
  return commands.filter((text) => text.includes(`${NODE_FOLDER}/`));
}

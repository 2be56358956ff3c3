import { ensureTools } from '../adapters/tools/ensure-tools.ts';
import { TOOL_NAMES } from '../adapters/tools/manifest.ts';
import { progressPrinter, waitPrinter } from '../adapters/tools/progress.ts';
import { abortOnSignal } from './abort-on-signal.ts';

/** Installs what is missing and prints where each tool is: a name and a path on each line. */
export async function installAllTools(): Promise<void> {
  const paths = await ensureTools(TOOL_NAMES, {
    onProgress: progressPrinter(process.stderr),
    onWait: waitPrinter(process.stderr),
    signal: abortOnSignal(),
  });
  for (const name of TOOL_NAMES) process.stdout.write(`${name}\t${paths[name]}\n`);
}

import { findTools } from '../adapters/tools/ensure-tools.ts';
import { TOOL_NAMES, TOOLS } from '../adapters/tools/manifest.ts';
import { describeRange } from '../adapters/tools/versions.ts';
import { EXIT } from '../cli/exit-codes.ts';
import type { Finding } from './finding.ts';
import { findNeighbours } from './neighbours.ts';

/** Prints what this machine has and lacks, and returns the exit code: 0 when all is fine. */
export async function doctor(options: { json?: boolean }): Promise<number> {
  const tools = await toolFindings();
  const complete = tools.every((finding) => finding.ok);
  const neighbours = await findNeighbours(process.env, { toolsComplete: complete });
  const ok = complete && neighbours.every((finding) => finding.ok);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ok, tools, neighbours }, null, 2)}\n`
      : `${['Tools', ...tools.map(line), '', 'Neighbours', ...neighbours.map(line)].join('\n')}\n`,
  );
  return ok ? EXIT.ok : EXIT.failed;
}

async function toolFindings(): Promise<Finding[]> {
  const reports = await findTools(TOOL_NAMES);
  return TOOL_NAMES.map((name) => {
    const report = reports[name];
    const { version, accepts } = TOOLS[name];
    if (report.found) {
      const { path, origin } = report.found;
      const note = origin === 'path' ? 'from PATH' : 'installed by Slipway';
      return { name, ok: true, version: report.found.version, where: path, note };
    }
    const own = accepts ? ` or put one on PATH (${describeRange(accepts)})` : '';
    return {
      name,
      ok: false,
      note: report.reason,
      remedy: `run \`slipway tools install\` for ${version}${own}`,
    };
  });
}

function line({ name, ok, version, where, note, remedy }: Finding): string {
  const facts = [version, where, note && `(${note})`].filter(Boolean).join('  ');
  const head = `  ${ok ? '✓' : '✕'} ${name.padEnd(24)}${facts}`;
  return remedy === undefined ? head : `${head}\n      → ${remedy}`;
}

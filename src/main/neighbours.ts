import { run } from '../adapters/process/run.ts';
import { defaultContext } from '../adapters/tools/context.ts';
import { packageClientEnv } from '../adapters/tools/environment.ts';
import { findGo } from '../adapters/tools/go-build.ts';
import { which } from '../adapters/tools/probe.ts';
import { compareVersions } from '../adapters/tools/versions.ts';
import packageManifest from '../../package.json' with { type: 'json' };
import type { Finding } from './finding.ts';

/**
 * Looks at the programs that Slipway uses but does not install. Go and Python are only needed to
 * install tools: without them nothing is wrong as long as no tool is missing.
 */
export async function findNeighbours(
  env: NodeJS.ProcessEnv,
  options: { toolsComplete: boolean },
): Promise<Finding[]> {
  const [git, go, python] = await Promise.all([findGit(env), findGoForTools(env), findPip(env)]);
  const installers = [go, python].map((finding) =>
    finding.ok || !options.toolsComplete
      ? finding
      : {
          name: finding.name,
          ok: true,
          note: `${finding.note ?? ''}; not needed, all tools are here`,
        },
  );
  return [findNode(), git, ...installers];
}

function findNode(): Finding {
  const pinned = packageManifest.devDependencies.node;
  const version = process.versions.node;
  const facts = { name: 'node', version, where: process.execPath };
  if (version === pinned) return { ...facts, ok: true };
  const remedy = 'start Slipway with bin/slipway or npm, which use the pinned one';
  return { ...facts, ok: false, note: `pinned is ${pinned}`, remedy };
}

async function findGit(env: NodeJS.ProcessEnv): Promise<Finding> {
  const remedy = 'install git 2.45.1 or newer, or 2.39.4 or newer of the 2.39 line';
  const where = which('git', env);
  if (where === undefined) return { name: 'git', ok: false, note: 'not on PATH', remedy };
  const { stdout } = await run(where, ['--version'], { env: packageClientEnv(env) });
  const version = /git version (\d+(?:\.\d+)*)/.exec(stdout)?.[1] ?? 'unknown';
  const facts = { name: 'git', version, where };
  if (isSafeGit(version)) return { ...facts, ok: true };
  return { ...facts, ok: false, note: 'open to CVE-2024-32002 and its siblings', remedy };
}

/** Whether a git lets no repository run code while it is cloned. */
export function isSafeGit(version: string): boolean {
  if (version.startsWith('2.39.')) return compareVersions(version, '2.39.4') >= 0;
  return compareVersions(version, '2.45.1') >= 0;
}

async function findGoForTools(env: NodeJS.ProcessEnv): Promise<Finding> {
  const context = defaultContext(env);
  const answers = await Promise.all(
    Object.keys(context.goModules).map((module) => findGo(context, module)),
  );
  const refusal = answers.find((answer) => !answer.ok);
  if (refusal) {
    const remedy = `install Go ${refusal.needed} or newer and put it on PATH`;
    return { name: 'go', ok: false, note: refusal.reason, remedy };
  }
  const found = answers.find((answer) => answer.ok);
  return { name: 'go', ok: true, ...(found && { version: found.version, where: found.path }) };
}

async function findPip(env: NodeJS.ProcessEnv): Promise<Finding> {
  const name = 'python3 with pip';
  const where = which('python3', env);
  const remedy = 'install Python 3 with pip (Debian: the packages python3 and python3-pip)';
  if (where === undefined) return { name, ok: false, note: 'not on PATH', remedy };
  const result = await run(where, ['-m', 'pip', '--version'], { env: packageClientEnv(env) });
  const version = /^pip (\S+)/.exec(result.stdout)?.[1];
  if (version === undefined) return { name, ok: false, where, note: 'it has no pip', remedy };
  return { name, ok: true, version: `pip ${version}`, where };
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ToolsContext } from '../../src/adapters/tools/context.ts';
import type { Source, Tool } from '../../src/adapters/tools/manifest.ts';

/** A machine of its own for the resolver: programs on PATH, a project with Go modules, a cache. */
export interface FakeMachine {
  folder: string;
  context: ToolsContext;
  /** Each run of a fake program, in order. */
  calls: () => Promise<string[]>;
  remove: () => Promise<void>;
}

const WHEEL = 'the wheel of gadget';

export async function createFakeMachine(): Promise<FakeMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-fake-tools-'));
  for (const each of ['bin', 'home', 'project/go']) {
    await mkdir(join(folder, each), { recursive: true });
  }
  await writeFile(join(folder, 'project/go/go.mod'), 'module fake\n\ngo 1.26.4\n');
  await writeFile(join(folder, 'project/go/go.sum'), 'pinned\n');
  return {
    folder,
    context: fakeContext(folder),
    calls: async () => {
      const log = join(folder, 'calls');
      return existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n') : [];
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The context of a machine that exists; another process gets the same one from the folder. */
export function fakeContext(folder: string): ToolsContext {
  return {
    // `gadget` comes as a wheel, else from Go; `widget` and `sprocket` from one Go module.
    tools: {
      gadget: tool([wheel(WHEEL), go('gadget')]),
      widget: tool([go('widget')]),
      sprocket: tool([go('sprocket')]),
    },
    goModules: { fake: { folder: 'go', variables: { 'example.org/version': '1.2.3' } } },
    projectFolder: join(folder, 'project'),
    cacheFolder: join(folder, 'cache'),
    env: {
      PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
      HOME: join(folder, 'home'),
      GOPROXY: 'https://proxy.example.org',
      SECRET: 'not for children',
    },
  };
}

/** Puts a program on the machine's PATH; each run of it is noted. */
export async function putOnPath(machine: FakeMachine, name: string, script: string): Promise<void> {
  const path = join(machine.folder, 'bin', name);
  const note = `echo "${name} $*" >> '${join(machine.folder, 'calls')}'`;
  await writeFile(path, `#!/bin/sh\n${note}\n${script}\n`);
  await chmod(path, 0o755);
}

/** A Go that builds programs which call themselves `says`, after what `first` does. */
export async function putGo(
  machine: FakeMachine,
  { version = '1.26.8', says = '1.2.3', first = '' } = {},
): Promise<void> {
  const script = `
if [ "$1" = env ]; then echo go${version}; exit 0; fi
env > '${join(machine.folder, 'go-env')}'
${first}
while [ "$1" != -o ]; do shift; done
folder=$2; shift 4
for package; do printf '#!/bin/sh\\necho fake version ${says}\\n' > "$folder/\${package##*/}"; done`;
  await putOnPath(machine, 'go', script);
}

/** A Python whose pip delivers a wheel with this content. */
export async function putPython(machine: FakeMachine, wheelContent = WHEEL): Promise<void> {
  const script = `
if [ "$2" = pip ]; then
  while [ "$1" != --dest ]; do shift; done
  printf '%s' '${wheelContent}' > "$2/gadget.whl"
else
  scripts="$5/gadget_bin-1.2.3.data/scripts"; mkdir -p "$scripts"
  printf '#!/bin/sh\\necho fake version 1.2.3\\n' > "$scripts/gadget"
fi`;
  await putOnPath(machine, 'python3', script);
}

function tool(sources: readonly Source[]): Tool {
  return {
    version: '1.2.3',
    probe: { args: ['--version'], shows: /fake version (\S+)/ },
    accepts: { min: '1.2.0', below: '2.0.0' },
    sources,
  };
}

function wheel(content: string): Source {
  const hash = createHash('sha256').update(content).digest('hex');
  const sha256 = { [`${process.platform}-${process.arch}`]: hash };
  return { kind: 'wheel', package: 'gadget-bin', sha256 };
}

function go(name: string): Source {
  return { kind: 'go', module: 'fake', package: `example.org/fake/${name}` };
}

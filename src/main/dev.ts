import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTools } from '../adapters/tools/ensure-tools.ts';
import { progressPrinter, waitPrinter } from '../adapters/tools/progress.ts';
import { EXIT } from '../cli/exit-codes.ts';
import { abortOnSignal } from './abort-on-signal.ts';
import { ENVIRONMENTS, startInstance, type Instance } from './dev/instance.ts';
import { PLATFORM_TOOLS } from './dev/part.ts';
import { startPlatform, type Platform } from './dev/platform.ts';
import { tellStory } from './dev/story.ts';
import { untilAborted } from './until-aborted.ts';

export interface DevOptions {
  /** Push a bump, a broken version and its fix, and tell how it goes. */
  story?: boolean;
  /** End after the story instead of staying up. */
  exit?: boolean;
  /** Print the story's outcome on stdout as JSON. */
  json?: boolean;
}

const FOLDER = fileURLToPath(new URL('../../.slipway', import.meta.url));

/** Slipway and all that it needs on this machine, with fresh data; answers the exit status. */
export async function runDev(options: DevOptions): Promise<number> {
  const stop = abortOnSignal();
  const started = performance.now();
  const say = (line: string) => {
    const seconds = ((performance.now() - started) / 1_000).toFixed(1).padStart(6);
    process.stderr.write(line === '' ? '\n' : `${seconds} s  ${line}\n`);
  };
  const tools = await ensureTools([...PLATFORM_TOOLS, 'helmfile'], {
    onProgress: progressPrinter(process.stderr),
    onWait: waitPrinter(process.stderr),
    signal: stop,
  });
  await mkdir(FOLDER, { recursive: true });
  const platform = await startPlatform({
    dataDir: join(FOLDER, 'dev'),
    tools,
    namespaces: ENVIRONMENTS,
    onProgress: say,
  });
  let instance: Instance | undefined;
  try {
    const webhookSecret = randomBytes(24).toString('base64url');
    stop.throwIfAborted();
    instance = await startInstance({ platform, webhookSecret });
    await writeFile(join(FOLDER, 'token'), `${instance.token}\n`, { mode: 0o600 });
    say('Slipway is up');
    for (const line of addresses(platform, instance)) say(line);
    // Ctrl-C ends a story in the middle; what it started ends below.
    const told = options.story
      ? await Promise.race([tellStory(instance, say), rejectWhenAborted(stop)])
      : undefined;
    if (told && options.json) process.stdout.write(`${JSON.stringify(told.report)}\n`);
    if (!options.exit) {
      say('');
      say('Press Ctrl-C to end.');
      await untilAborted(stop);
    }
    return told?.asExpected === false ? EXIT.failed : EXIT.ok;
  } finally {
    say('ending');
    await instance?.stop();
    await platform.stop();
  }
}

async function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  await untilAborted(signal);
  throw signal.reason;
}

function addresses(platform: Platform, instance: Instance): string[] {
  return [
    `  API          ${instance.url}/api/v1 (token in .slipway/token)`,
    `  Temporal UI  ${platform.temporal.uiUrl}`,
    `  repository   ${instance.repository.url}`,
    `  cluster      kubectl --kubeconfig ${platform.kubernetes.kubeconfigPath}`,
  ];
}

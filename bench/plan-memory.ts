import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ReleaseLab } from '../test/support/released-environment.ts';
import { generatedRepository } from './generated-repository.ts';
import type { Asked, Held } from './plan-memory-worker.ts';

const PLANS = 1_000;
/** Each commit is planned this often: once from its files, then from what was read of them before. */
const PLANS_OF_A_COMMIT = 10;
const SAID_EVERY = 100;

/**
 * A process of its own, as the worker is one, plans an environment of 17 services over and over. Prints
 * what it holds after its garbage was collected: that must not grow with the plans.
 */
export async function measureMemory(lab: ReleaseLab): Promise<void> {
  const environment = await lab.environment('memory', generatedRepository('memory', 17));
  const { end } = await environment.release();
  if (end.phase !== 'succeeded') throw new Error(`the environment was not released: ${end.phase}`);
  const { helm, helmfile } = lab.parts.tools;
  const worker = fork(
    fileURLToPath(new URL('plan-memory-worker.ts', import.meta.url)),
    [environment.configFile, environment.folder, helm, helmfile],
    { execArgv: ['--expose-gc'] },
  );
  const ended = once(worker, 'exit').then(() => {
    throw new Error('the process that plans has ended');
  });
  try {
    process.stdout.write('PLANS  HEAP MB  EXTERNAL MB  RESIDENT MB\n');
    for (let plans = 0; plans < PLANS; plans += PLANS_OF_A_COMMIT) {
      await environment.push({ 'README.md': `Plan ${plans}\n` });
      const asked: Asked = { input: environment.planInput(), plans: PLANS_OF_A_COMMIT };
      worker.send(asked);
      const [held] = (await Promise.race([once(worker, 'message'), ended])) as [Held];
      const done = plans + PLANS_OF_A_COMMIT;
      if (plans === 0 || done % SAID_EVERY === 0) process.stdout.write(line(done, held));
    }
  } finally {
    worker.kill();
  }
}

function line(plans: number, { heapBytes, externalBytes, residentBytes }: Held): string {
  const megabytes = (bytes: number) => (bytes / 1024 ** 2).toFixed(1);
  return [
    String(plans).padStart(5),
    megabytes(heapBytes).padStart(7),
    megabytes(externalBytes).padStart(11),
    `${megabytes(residentBytes).padStart(11)}\n`,
  ].join('  ');
}

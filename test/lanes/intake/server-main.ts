import { mirrorOf } from './forge.ts';
import { Orchestrator } from '../../../src/adapters/temporal/orchestrator.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { resolveSecrets } from '../../../src/config/secrets.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { abortOnSignal } from '../../../src/main/abort-on-signal.ts';
import { createLog } from '../../../src/main/log.ts';
import { serve } from '../../../src/main/server.ts';

/** The server with simulated git: `server-main.ts <slipway.yaml> <port> <forge's URL> <faults>`. */
const [configFile = '', port = '', forgeUrl = '', faults = '0'] = process.argv.slice(2);

/** Loses calls to Temporal: some before they are sent, some after they were answered, some are made twice. */
class LossyOrchestrator extends Orchestrator {
  override startRelease(input: Parameters<Orchestrator['startRelease']>[0]): Promise<void> {
    return lossy(() => super.startRelease(input));
  }

  override submitToLane(input: Parameters<Orchestrator['submitToLane']>[0]) {
    return lossy(() => super.submitToLane(input));
  }
}

async function lossy<T>(call: () => Promise<T>): Promise<T> {
  const share = Number(faults);
  const lost = () => Math.random() < share;
  if (lost()) throw new Refusal('unavailable', 'lost before it was sent');
  const answer = await call();
  if (lost()) throw new Refusal('unavailable', 'lost after it was answered');
  return lost() ? call() : answer;
}

const config = await loadConfig(configFile);
await serve({
  config: {
    ...config,
    server: { ...config.server, listen: { host: '127.0.0.1', port: Number(port) } },
  },
  secrets: resolveSecrets(config, { role: 'server' }),
  mirror: (repository) => mirrorOf(forgeUrl, repository),
  orchestrator: new LossyOrchestrator(config.temporal),
  versionsAt: () => Promise.reject(new Error('no environment follows another here')),
  log: createLog('server'),
  stop: abortOnSignal(),
});

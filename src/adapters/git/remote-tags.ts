import { Refusal } from '../../domain/errors.ts';
import { run } from '../process/run.ts';
import { ownEnvironment, withoutPassword } from './own-environment.ts';

const TIMEOUT_MS = 60_000;
const TAGS = 'refs/tags/';

/** The tags of a repository that is asked over the network, with the person's own credentials of git. */
export async function remoteTags(url: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const args = ['ls-remote', '--tags', '--refs', '--end-of-options', url];
  const env = { ...ownEnvironment(environment), GIT_ALLOW_PROTOCOL: 'https:http:ssh' };
  const { exitCode, stdout, stderr } = await run('git', args, { env, timeoutMs: TIMEOUT_MS });
  if (exitCode !== 0) {
    const said = withoutPassword(stderr.trim()) || 'it gave no reason';
    throw new Refusal('unavailable', `git cannot read the tags of ${url}: ${said}`);
  }
  return stdout
    .split('\n')
    .map((line) => line.split('\t')[1] ?? '')
    .filter((ref) => ref.startsWith(TAGS))
    .map((ref) => ref.slice(TAGS.length));
}

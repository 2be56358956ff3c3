import { homedir } from 'node:os';
import { join } from 'node:path';
import { readLogin, Registry } from './registry.ts';

// Docker's own registry answers under another name, and keeps its login under a third.
const DOCKER_HUB = { host: 'registry-1.docker.io', login: 'https://index.docker.io/v1/' };

/**
 * The tags of a container image, asked with the login that `docker login` wrote for its registry.
 *
 * @param image with its registry and without a tag, such as `registry.example.org/hocs/search`
 */
export async function imageTags(image: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const slash = image.indexOf('/');
  const [written, name] = [image.slice(0, slash), image.slice(slash + 1)];
  const { host, login } = written === 'docker.io' ? DOCKER_HUB : { host: written, login: written };
  const folder = environment.DOCKER_CONFIG ?? join(environment.HOME ?? homedir(), '.docker');
  const registry = new Registry(host, name, {
    plainHttp: /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host),
    login: await readLogin(join(folder, 'config.json'), login),
    loginHint: `log in by \`docker login ${written}\`, into ${folder}/config.json itself`,
  });
  return registry.tags();
}

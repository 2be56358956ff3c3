import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPiped } from '../../src/adapters/process/piped.ts';
import { run } from '../../src/adapters/process/run.ts';
import { isListening } from '../../src/main/dev/free-port.ts';
import { platformPids } from '../../src/main/dev/platform-processes.ts';
import { ownIdentity } from '../../src/adapters/process/identity.ts';
import { startPlatform, type Platform } from '../../src/main/dev/platform.ts';
import { pushChange } from '../../src/main/dev/push-change.ts';
import { waitUntil } from '../../src/main/dev/wait-until.ts';
import { platformTools } from '../support/platform-tools.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TEMPLATE = join(ROOT, 'templates', 'deployment-repository');
const NAMESPACE = 'cs-dev';
const SECONDS = 1_000;

let tools: Awaited<ReturnType<typeof platformTools>>;
let platform: Platform;

beforeAll(async () => {
  tools = await platformTools();
  const dataDir = join(ROOT, '.slipway', 'test', 'platform');
  platform = await startPlatform({ dataDir, tools, namespaces: [NAMESPACE, 'wcs-dev'] });
}, 120 * SECONDS);

afterAll(async () => {
  await platform.stop();
}, 60 * SECONDS);

describe('the folder of a platform', () => {
  const start = (dataDir: string) => startPlatform({ dataDir, tools, namespaces: [] });

  it('is refused when it holds something else', async () => {
    const folder = join(platform.dataDir, 'precious');
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.txt'), 'nearly done');
    await expect(start(folder)).rejects.toThrow('holds something that is not a platform');
    expect(await readFile(join(folder, 'thesis.txt'), 'utf8')).toBe('nearly done');
  });

  it('is refused while another platform runs in it', async () => {
    const folder = join(platform.dataDir, 'busy');
    await mkdir(folder);
    // The process that runs this one lives as long.
    const stat = await readFile(`/proc/${process.ppid}/stat`, 'utf8');
    const startedTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const owner = { ...ownIdentity(), pid: process.ppid, startedTicks };
    await writeFile(join(folder, 'platform.json'), JSON.stringify(owner));
    await expect(start(folder)).rejects.toThrow('a platform runs in');
  });
});

describe('the parts of the platform', () => {
  it('PostgreSQL answers, and only with the password', async () => {
    const client = new pg.Client({ connectionString: platform.postgres.url });
    await client.connect();
    const { rows } = await client.query<{ one: number; who: string }>(
      'SELECT 1 AS one, current_user AS who',
    );
    await client.end();
    expect(rows).toEqual([{ one: 1, who: 'slipway' }]);

    const wrong = new URL(platform.postgres.url);
    wrong.password = 'slipway';
    const stranger = new pg.Client({ connectionString: wrong.href });
    await expect(stranger.connect()).rejects.toThrow('password authentication failed');
  });

  it('Temporal has the namespace and shows its pages', async () => {
    const connection = await Connection.connect({ address: platform.temporal.address });
    const { namespaceInfo } = await connection.workflowService.describeNamespace({
      namespace: platform.temporal.namespace,
    });
    await connection.close();
    expect(namespaceInfo?.name).toBe('slipway');
    expect((await fetch(platform.temporal.uiUrl)).status).toBe(200);
  });

  it('a Deployment becomes available within seconds', async () => {
    await deploy('healthy', 'registry.example/healthy:1');
    const condition = 'condition=Available';
    await kubectl('wait', '--for', condition, 'deployment/healthy', '--timeout=20s');
  });

  it('the token of the service account may do what a worker does', async () => {
    const { server, caFile, token } = platform.kubernetes;
    const account = ['--server', server, '--certificate-authority', caFile, '--token', token];
    const args = [...account, 'auth', 'can-i', 'create', 'deployments', '-n', NAMESPACE];
    // An empty kubeconfig: nothing but the flags may help.
    const env = { PATH: '/usr/bin:/bin', HOME: platform.dataDir, KUBECONFIG: '/dev/null' };
    const answer = await run(tools.kubectl, args, { env });
    expect(answer).toMatchObject({ stdout: 'yes\n', exitCode: 0 });
  });

  it('the chart repository serves its index and charts, and nothing else', async () => {
    const status = async (path: string) => (await fetch(platform.charts.url + path)).status;
    const index = await (await fetch(`${platform.charts.url}/index.yaml`)).text();
    expect(index).toContain('example-frontend-1.2.0.tgz');
    expect(await status('/example-frontend-1.2.0.tgz')).toBe(200);
    expect(await status('/example-frontend-9.9.9.tgz')).toBe(404);
    expect(await status('/%2e%2e/sources/example-frontend/Chart.yaml')).toBe(404);

    await platform.charts.publish('1.3.0');
    expect(await status('/example-frontend-1.2.0.tgz')).toBe(200);
    expect(await status('/example-frontend-1.3.0.tgz')).toBe(200);
  });
});

it('an image that is missing looks as on a real node, and can be published later', async () => {
  const image = 'registry.example/frontend:3.0.3-missing';
  await deploy('broken', image);
  const pull = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
  const waiting = await waitUntil(
    'an image that cannot be pulled',
    async () => {
      const { waiting } = (await containerOf('broken'))?.state ?? {};
      return waiting?.reason === 'ImagePullBackOff' && waiting;
    },
    { timeoutMs: 20 * SECONDS },
  );
  expect(waiting.message).toBe(`Back-off pulling image "${image}": ErrImagePull: ${pull}`);
  expect(await containerOf('broken')).toMatchObject({ ready: false, restartCount: 0 });

  await platform.kubernetes.publishImages();
  await kubectl('wait', '--for', 'condition=Available', 'deployment/broken', '--timeout=20s');
  await platform.kubernetes.withholdImages();
});

describe('the git server', () => {
  it('a push reaches the webhook as a signed event', async () => {
    const repository = await platform.git.createRepository('events', TEMPLATE);
    const webhook = await receiveOne();
    await repository.notify({ url: webhook.url, secret: 'a secret of this test' });

    const { commit, output } = await push(repository.url);

    const { headers, body } = await webhook.received;
    const digest = createHmac('sha256', 'a secret of this test').update(body).digest('hex');
    expect(headers).toMatchObject({
      'x-github-event': 'push',
      'x-hub-signature-256': `sha256=${digest}`,
    });
    expect(JSON.parse(body)).toMatchObject({
      ref: 'refs/heads/main',
      after: commit,
      created: false,
      forced: false,
      repository: { name: 'events', clone_url: repository.url, default_branch: 'main' },
      head_commit: { id: commit, message: 'Change something', author: { name: 'Ada Example' } },
    });
    expect(output).toContain(`told ${webhook.url} about refs/heads/main: 202`);
  });

  it('a push succeeds although the webhook fails, and says so', async () => {
    const repository = await platform.git.createRepository('unheard', TEMPLATE);
    // Port 9 is "discard": nobody listens there.
    await repository.notify({ url: 'http://127.0.0.1:9/', secret: 'unused' });
    const { output } = await push(repository.url);
    expect(output).toContain('could not tell http://127.0.0.1:9/');
  });

  it('serves repositories by their name and nothing else', async () => {
    for (const path of ['/', '/events.git/config', '/../postgres', '/%2e%2e/x.git/info/refs']) {
      expect((await fetch(platform.git.url + path)).status, path).toBe(404);
    }
  });
});

describe.each(['cs-dev', 'wcs-dev'])('the template of a deployment repository, in %s', (name) => {
  it('renders every service with its version', async () => {
    const { stdout } = await helmfile('-e', name, 'template');
    const images = [...stdout.matchAll(/image: "(.*)"/g)].map((match) => match[1]);
    expect(images.sort()).toEqual([
      'registry.example/api:2.4.1',
      'registry.example/audit:1.3.0',
      'registry.example/frontend:3.0.2',
      'registry.example/worker:2.1.7',
    ]);
    expect(stdout).toContain(`https://${name.replace('-dev', '')}.dev.example.org`);
    expect(stdout).toContain('192.0.2.0/24');
  });

  it('deploys by a plain "helmfile sync"', async () => {
    await helmfile('-e', name, 'sync');
    const { stdout } = await must(tools.helm, ['list', '-n', name, '--deployed', '--short']);
    expect(stdout.trim().split('\n').sort()).toEqual([
      'example-api',
      'example-audit',
      'example-frontend',
      'example-worker',
    ]);
  });
});

it('nothing lives on when the process that started a platform is killed', async () => {
  const script = join(ROOT, 'test', 'fixtures', 'platform-parent.ts');
  const args = [script, join(ROOT, '.slipway', 'test', 'orphan'), JSON.stringify(tools)];
  const parent = await startPiped(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
  });
  const lines = createInterface({ input: parent.stdout });
  const first = await lines[Symbol.asyncIterator]().next();
  expect(first.done, 'the parent ended before its platform was up').not.toBe(true);
  const { id, ports } = JSON.parse(first.value as string) as { id: string; ports: number[] };
  expect(await Promise.all(ports.map(isListening))).toEqual([true, true, true, true]);
  expect(platformPids(id)).not.toEqual([]);

  process.kill(parent.pid, 'SIGKILL');

  const allClosed = async () => !(await Promise.all(ports.map(isListening))).includes(true);
  const gone = async () => platformPids(id).length === 0 && (await allClosed());
  await waitUntil('the end of everything', gone, { timeoutMs: 20 * SECONDS });
}, 120_000);

function kubectl(...args: string[]) {
  return must(tools.kubectl, ['-n', NAMESPACE, ...args]);
}

function deploy(name: string, image: string) {
  return kubectl('create', 'deployment', name, '--image', image);
}

interface ContainerStatus {
  ready: boolean;
  state: { waiting?: { reason: string; message: string } };
}

async function containerOf(app: string): Promise<ContainerStatus | undefined> {
  const { stdout } = await kubectl('get', 'pods', '-l', `app=${app}`, '-o', 'json');
  const list = JSON.parse(stdout) as {
    items: { status: { containerStatuses?: ContainerStatus[] } }[];
  };
  return list.items[0]?.status.containerStatuses?.[0];
}

async function helmfile(...args: string[]) {
  const copy = join(platform.dataDir, 'template');
  await cp(TEMPLATE, copy, { recursive: true });
  return await must(tools.helmfile, ['--helm-binary', tools.helm, ...args], copy);
}

async function must(file: string, args: string[], cwd?: string) {
  const result = await run(file, args, {
    env: {
      PATH: '/usr/bin:/bin',
      HOME: platform.dataDir,
      KUBECONFIG: platform.kubernetes.kubeconfigPath,
      CHART_REPOSITORY_URL: platform.charts.url,
      ALLOWED_IPS: '192.0.2.0/24',
      HELMFILE_UPGRADE_NOTICE_DISABLED: '1',
    },
    ...(cwd === undefined ? {} : { cwd }),
  });
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result;
}

function push(url: string) {
  const files = { 'environments/dev/versions.yaml': 'versions: {}\n' };
  return pushChange({ url, branch: 'main', message: 'Change something', files });
}

/** A webhook receiver that accepts one event. */
async function receiveOne() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const received = new Promise<{ headers: IncomingHttpHeaders; body: string }>((resolve) => {
    server.once('request', (request, response) => {
      void text(request).then((body) => {
        response.writeHead(202).end();
        server.close();
        resolve({ headers: request.headers, body });
      });
    });
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

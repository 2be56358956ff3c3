import { Ajv } from 'ajv';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../src/adapters/process/run.ts';
import { GO_MODULES } from '../../src/adapters/tools/manifest.ts';
import { parseConfig } from '../../src/config/parse.ts';
import packageManifest from '../../package.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '../..');

interface Service {
  image: string;
  restart: string;
  environment?: Record<string, string>;
  secrets?: string[];
  configs?: { source: string; target: string }[];
  volumes?: string[];
  ports?: string[];
  networks: string[] | Record<string, unknown>;
  healthcheck?: unknown;
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, unknown>;
  configs: Record<string, { file: string }>;
  secrets: Record<string, { file: string }>;
}

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const networksOf = ({ networks }: Service) =>
  Array.isArray(networks) ? networks : Object.keys(networks);

describe('docker-compose.yml', () => {
  it('is what the published schema of Compose allows', () => {
    const schema = JSON.parse(
      readFileSync(join(import.meta.dirname, 'compose-spec.json'), 'utf8'),
    ) as Record<string, unknown>;
    // The same draft, by the address that the validator knows.
    schema.$schema = 'http://json-schema.org/draft-07/schema#';
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...compose, services: { one: { imago: 'x' } } })).toBe(false);
  });

  it('declares all that its services use, and uses all that it declares', () => {
    const used = (key: 'secrets' | 'configs' | 'volumes') =>
      new Set(services.flatMap(([, service]) => (service[key] ?? []).map(nameOf)));
    for (const key of ['secrets', 'configs', 'volumes'] as const) {
      expect(used(key)).toEqual(new Set(Object.keys(compose[key])));
    }
  });

  it('takes every secret from a file, and has no password in it', () => {
    for (const { file } of Object.values(compose.secrets)) {
      expect(file).toMatch(/^\.\/deploy\/compose\/secrets\//);
    }
    for (const [, { environment = {} }] of services) {
      const secret = Object.entries(environment).filter(([key]) =>
        /PASSWORD|PWD|TOKEN|SECRET|KEY/.test(key),
      );
      for (const [, value] of secret) expect(value).toMatch(/^\/run\/secrets\//);
    }
  });

  it('pins every image, and knows how well each service is that stays', () => {
    for (const [name, { image, restart, healthcheck }] of services) {
      if (!image.startsWith('slipway:')) expect(image).toMatch(/:\d+\.\d+/);
      if (restart === 'unless-stopped') expect(healthcheck, name).toBeDefined();
    }
  });

  it('gives the database to the server, and to no worker of a cluster', () => {
    const inDatabase = services.filter(([, one]) => networksOf(one).includes('database'));
    expect(inDatabase.map(([name]) => name).sort()).toEqual([
      ...['migrate', 'postgres', 'server', 'temporal', 'temporal-schema'],
    ]);
    expect(compose.services['worker-notprod']?.secrets?.map(nameOf)).toEqual([
      ...['kube_token_notprod', 'worker_token_notprod', 'tls_certificate'],
    ]);
    expect(compose.services.server?.secrets).not.toContain('kube_token_notprod');
    expect(compose.networks.database?.internal).toBe(true);
  });

  it('opens nothing beyond this machine but https', () => {
    const open = services.flatMap(([, { ports = [] }]) => ports);
    expect(open.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual(['443:443']);
  });
});

describe('the files of deploy/compose', () => {
  it('are there, except for those that a person brings', () => {
    for (const [name, { file }] of Object.entries(compose.configs)) {
      if (name !== 'notprod_ca') expect(existsSync(join(ROOT, file)), file).toBe(true);
    }
  });

  it('hold a valid slipway.yaml, whose secrets are mounted where they are read', async () => {
    const file = join(ROOT, 'deploy/compose/slipway.yaml');
    const yaml = await readFile(file, 'utf8');
    expect(parseConfig(yaml, file)).toMatchObject({ ok: true });
    const read = [...yaml.matchAll(/\/run\/secrets\/(\w+)/g)].map(([, name]) => name);
    const given = ['server', 'worker-notprod'].flatMap(
      (name) => compose.services[name]?.secrets?.map(nameOf) ?? [],
    );
    expect(given).toEqual(expect.arrayContaining(read));
    // It reads the secrets of the server's role.
    expect(compose.services.migrate?.secrets).toEqual(compose.services.server?.secrets);
  });

  it('make secrets that are random, readable by their owner alone, and stay', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-compose-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(join(ROOT, 'deploy/compose/make-secrets'), join(folder, 'make-secrets'));
    const make = () =>
      run(join(folder, 'make-secrets'), [], { env: { PATH: process.env.PATH ?? '' } });
    const first = await make();
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    const secrets = join(folder, 'secrets');
    const read = async () => {
      const names = (await readdir(secrets)).sort();
      const values = names.map((name) => readFileSync(join(secrets, name), 'utf8'));
      return new Map(names.map((name, at) => [name, values[at] ?? '']));
    };
    const made = await read();
    expect((await stat(secrets)).mode & 0o077).toBe(0);
    expect(made.get('database_url')).toContain(`:${made.get('slipway_db_password') ?? 'none'}@`);
    for (const value of made.values()) expect(value.length).toBeGreaterThan(30);
    // What it does not make it asks for, and together that is all.
    const asked = first.stdout
      .split('\n')
      .flatMap((line) => /secrets\/(\w+)/.exec(line)?.[1] ?? []);
    expect([...made.keys(), ...asked].sort()).toEqual(Object.keys(compose.secrets).sort());
    await make();
    expect(await read()).toEqual(made);
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

  it('pins its bases, on the Node of this project, and does not run as root', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    for (const base of bases) expect(base).toMatch(/:\d+\.\d+\.\d+-bookworm/);
    expect(bases).toContain(`node:${packageManifest.devDependencies.node}-bookworm-slim`);
    expect(dockerfile).toMatch(/^USER slipway$/m);
  });

  it('copies what is there, and only that gets into its context', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, sources = '']) => sources.split(' '),
    );
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8');
    for (const source of copied) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(ignored).toContain(`!${source.split('/')[0] ?? ''}`);
    }
  });

  it('builds the tools as the manifest does', () => {
    for (const [name, value] of Object.entries(GO_MODULES.platform?.variables ?? {})) {
      if (name.startsWith('helm.sh/')) expect(dockerfile).toContain(`-X ${name}=${value}`);
    }
  });
});

/** Of a short or long entry, or of the left side of a mount. */
function nameOf(entry: string | { source: string }): string {
  return typeof entry === 'string' ? (entry.split(':')[0] ?? '') : entry.source;
}

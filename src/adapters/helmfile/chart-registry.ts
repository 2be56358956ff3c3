import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../domain/errors.ts';
import { pickChartVersion } from '../../domain/plan/chart-version.ts';
import type { ResolvedChart } from './chart-index.ts';

export interface RegistryAccess {
  /** Folder of Helm's configuration, which holds what `helm registry login` wrote. */
  helmConfig: string;
  plainHttp: boolean;
  signal?: AbortSignal;
}

const MANIFEST = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ');
const TAG_PAGES_MAX = 50;
const TIMEOUT_MS = 20_000;

/**
 * Finds the version that Helm takes for a range among a chart's tags in an OCI registry, and the digest
 * of its manifest.
 *
 * @param chart such as `registry.example.org/charts/api`
 */
export async function resolveInRegistry(
  chart: string,
  range: string,
  access: RegistryAccess,
): Promise<ResolvedChart | undefined> {
  const slash = chart.indexOf('/');
  const [host, name] = [chart.slice(0, slash), chart.slice(slash + 1)];
  const registry = new Registry(host, name, await readLogin(host, access), access);
  const exact = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/.test(range);
  const version = exact ? range : pickChartVersion(await registry.tags(), range);
  const digest = version === undefined ? undefined : await registry.digest(version);
  return version === undefined || digest === undefined ? undefined : { version, digest };
}

class Registry {
  readonly #base: string;
  readonly #name: string;
  readonly #login: string | undefined;
  readonly #signal: AbortSignal | undefined;
  #authorization: string | undefined;

  constructor(host: string, name: string, login: string | undefined, access: RegistryAccess) {
    this.#base = `${access.plainHttp ? 'http' : 'https'}://${host}`;
    this.#name = name;
    this.#login = login;
    this.#signal = access.signal;
  }

  /** All versions; a tag cannot hold the `+` of a version, so Helm writes `_`. */
  async tags(): Promise<string[]> {
    const tags: string[] = [];
    let path: string | undefined = `/v2/${this.#name}/tags/list?n=1000`;
    for (let page = 0; path !== undefined && page < TAG_PAGES_MAX; page += 1) {
      const response: Response = await this.#get(path, 'GET', 'application/json');
      if (response.status === 404) return [];
      const body = (await response.json()) as { tags?: string[] | null };
      tags.push(...(body.tags ?? []));
      path = nextPage(response.headers.get('link'));
    }
    return tags.map((tag) => tag.replaceAll('_', '+'));
  }

  async digest(version: string): Promise<string | undefined> {
    const path = `/v2/${this.#name}/manifests/${version.replaceAll('+', '_')}`;
    const response = await this.#get(path, 'HEAD', MANIFEST);
    return response.status === 404
      ? undefined
      : (response.headers.get('docker-content-digest') ?? undefined);
  }

  async #get(path: string, method: string, accept: string): Promise<Response> {
    const response = await this.#fetch(path, method, accept);
    const challenge = response.headers.get('www-authenticate');
    if (response.status !== 401 || challenge === null) return this.#checked(response);
    this.#authorization = await this.#answer(challenge);
    return this.#checked(await this.#fetch(path, method, accept));
  }

  #fetch(path: string, method: string, accept: string): Promise<Response> {
    return this.#ask(new URL(path, this.#base), {
      method,
      headers: {
        accept,
        ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      },
    });
  }

  async #ask(url: URL, init: RequestInit): Promise<Response> {
    const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(this.#signal ? [this.#signal] : [])];
    try {
      return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw this.#unreachable('it does not answer', error);
    }
  }

  #checked(response: Response): Response {
    if (response.ok || response.status === 404) return response;
    if (response.status === 401 || response.status === 403) {
      throw this.#unreachable('it refuses access; its login belongs into `variables`');
    }
    throw this.#unreachable(`it answers with HTTP ${response.status}`);
  }

  /** Basic, or a token from the server that the registry names. */
  async #answer(challenge: string): Promise<string | undefined> {
    const basic = this.#login === undefined ? undefined : `Basic ${this.#login}`;
    if (!/^bearer /i.test(challenge)) return basic;
    const fields = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    );
    const url = new URL(fields.get('realm') ?? '', this.#base);
    for (const key of ['service', 'scope']) {
      const value = fields.get(key);
      if (value !== undefined) url.searchParams.set(key, value);
    }
    const headers = basic === undefined ? {} : { authorization: basic };
    const response = this.#checked(await this.#ask(url, { headers }));
    const body = (await response.json()) as { token?: string; access_token?: string };
    return `Bearer ${body.token ?? body.access_token ?? ''}`;
  }

  #unreachable(why: string, cause?: unknown): SlipwayError {
    const message = `Reading the versions of ${this.#name} from ${this.#base}: ${why}.`;
    return new SlipwayError('chart-repository-unreachable', message, { cause });
  }
}

function nextPage(link: string | null): string | undefined {
  return /<([^>]+)>;\s*rel="?next"?/.exec(link ?? '')?.[1];
}

/** What `helm registry login` stored for a host: user and password in base64. */
async function readLogin(host: string, access: RegistryAccess): Promise<string | undefined> {
  const file = join(access.helmConfig, 'registry', 'config.json');
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const { auths } = JSON.parse(text) as { auths?: Record<string, { auth?: string }> };
  return auths?.[host]?.auth;
}

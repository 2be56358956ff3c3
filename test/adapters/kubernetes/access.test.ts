import { mkdtempSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readKubeconfig, writeKubeconfig } from '../../../src/adapters/kubernetes/access.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-access-'));
afterAll(() => rm(folder, { recursive: true }));

const CA = '-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the kubeconfig that is written', () => {
  it('is readable by its owner only, also where another one was', async () => {
    const file = join(folder, 'written');
    await writeFile(file, 'old', { mode: 0o644 });
    await writeKubeconfig(file, { server: 'https://k.example', namespace: 'cs-qa', token: 't' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('holds one context, with the namespace, and verifies the server', async () => {
    const file = join(folder, 'one');
    const access = { server: 'https://k.example', namespace: 'cs-qa', token: 'the-token' };
    await writeKubeconfig(file, { ...access, certificateAuthority: CA });
    const config = parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({
      'current-context': 'slipway',
      clusters: [
        {
          name: 'slipway',
          cluster: { server: 'https://k.example', 'certificate-authority-data': base64(CA) },
        },
      ],
      users: [{ name: 'slipway', user: { token: 'the-token' } }],
      contexts: [{ context: { cluster: 'slipway', user: 'slipway', namespace: 'cs-qa' } }],
    });
    expect(JSON.stringify(config)).not.toContain('"insecure-skip-tls-verify":true');
    expect(await readKubeconfig(file, 'slipway')).toEqual({
      server: 'https://k.example',
      certificateAuthority: CA,
      token: 'the-token',
    });
  });
});

describe("a person's kubeconfig", () => {
  it('is read by context, with certificates from files beside it', async () => {
    await writeFile(join(folder, 'ca.pem'), CA);
    const file = await kubeconfig({
      cluster: { 'certificate-authority': 'ca.pem' },
      user: { 'client-certificate-data': base64('cert'), 'client-key-data': base64('key') },
    });
    expect(await readKubeconfig(file, 'work')).toEqual({
      server: 'https://k.example',
      certificateAuthority: CA,
      clientCertificate: { certificate: 'cert', key: 'key' },
    });
  });

  it.each([
    ['runs a program', { user: { exec: { command: 'aws', apiVersion: 'v1' } } }, 'by a plugin'],
    ['has an auth provider', { user: { 'auth-provider': { name: 'gcp' } } }, 'by a plugin'],
    ['signs in by nothing', { user: { tokenFile: 'token' } }, 'neither a token nor a certificate'],
    ['verifies nothing', { cluster: { 'insecure-skip-tls-verify': true } }, 'skips TLS'],
  ])('that %s is refused', async (_what, parts, why) => {
    const file = await kubeconfig(parts);
    await expect(readKubeconfig(file, 'work')).rejects.toMatchObject({
      code: 'cluster-auth',
      message: expect.stringContaining(why) as string,
    });
  });

  it.each([
    ['is missing', join(folder, 'nowhere')],
    ['has no such context', 'other'],
    ['is no YAML', 'broken'],
  ])('that %s is named', async (what, which) => {
    const file = what === 'is missing' ? which : await kubeconfig({});
    if (which === 'broken') await writeFile(file, 'a: [');
    const context = which === 'other' ? which : 'work';
    await expect(readKubeconfig(file, context)).rejects.toMatchObject({
      code: 'cluster-auth',
      message: expect.stringContaining(file) as string,
    });
  });
});

async function kubeconfig(parts: { cluster?: object; user?: object }): Promise<string> {
  const file = join(folder, 'kubeconfig');
  await writeFile(
    file,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://k.example', ...parts.cluster } }],
      users: [{ name: 'u', user: { ...parts.user } }],
      contexts: [{ name: 'work', context: { cluster: 'c', user: 'u' } }],
    }),
  );
  return file;
}

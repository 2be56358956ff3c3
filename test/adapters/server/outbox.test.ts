import fc from 'fast-check';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createServerClient,
  type Delivery,
  type Send,
} from '../../../src/adapters/server/client.ts';
import { Outbox, type OutboxOptions } from '../../../src/adapters/server/outbox.ts';
import { createServerLogSink } from '../../../src/adapters/server/sinks.ts';
import type { LogLines } from '../../../src/contract/log-sink.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { idOf, logLines, storeRelease } from '../../support/records.ts';
import { until } from '../../support/until.ts';

const TAKEN: Delivery = { outcome: 'taken' };
const LATER: Delivery = { outcome: 'later', why: 'away' };

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-outbox-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('an outbox', () => {
  it('returns when the server has the message', async () => {
    const sent: string[] = [];
    const outbox = await open({ send: recording(sent, () => TAKEN) });
    await outbox.put('logs', { line: 1 });
    expect(sent).toEqual(['logs {"line":1}']);
    await outbox.close(0);
  });

  it('keeps messages while the server is away, holds nobody up, and sends them in order', async () => {
    const sent: string[] = [];
    let away = true;
    const send = recording(sent, () => (away ? LATER : TAKEN));
    const outbox = await open({ send });
    for (let line = 0; line < 20; line += 1) await outbox.put('logs', { line });
    expect(sent).toEqual([]);
    away = false;
    await until(() => sent.length === 20);
    expect(sent).toEqual(Array.from({ length: 20 }, (_, line) => `logs {"line":${line}}`));
    await outbox.close(0);
  });

  it('sends what an ended worker left, before anything new, and drops what was half written', async () => {
    const folder = newFolder();
    const first = await open({ folder, send: () => Promise.resolve(LATER) });
    for (let line = 0; line < 12; line += 1) await first.put('logs', { line });
    await first.close(0);
    await writeFile(join(folder, '000000000099-logs.json.part'), '{"li');
    const sent: string[] = [];
    const second = await open({ folder, send: recording(sent, () => TAKEN) });
    await second.put('plans', { last: true });
    expect(sent).toHaveLength(13);
    expect(sent.at(0)).toBe('logs {"line":0}');
    expect(sent.at(-1)).toBe('plans {"last":true}');
    await second.close(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it('gives up a message that the server refuses, says so, and goes on', async () => {
    const troubles: string[] = [];
    const sent: string[] = [];
    const send: Send = (_kind, body) =>
      Promise.resolve(
        body.includes('poison') ? { outcome: 'refused', why: 'HTTP 422' } : recorded(sent, body),
      );
    const outbox = await open({ send, onTrouble: (message) => troubles.push(message) });
    await outbox.put('logs', { poison: 1 });
    await outbox.put('logs', { line: 2 });
    expect(sent).toEqual(['{"line":2}']);
    expect(troubles).toEqual(['the server refused a message']);
    await outbox.close(0);
  });

  it('is bounded: the oldest logs go, never a plan', async () => {
    const folder = newFolder();
    const outbox = await open({ folder, send: () => Promise.resolve(LATER), bytesMax: 1_000 });
    await outbox.put('plans', { plan: 'x'.repeat(300) });
    for (let line = 0; line < 50; line += 1)
      await outbox.put('logs', { line, text: 'x'.repeat(80) });
    const kept = await readdir(folder);
    expect(kept.filter((name) => name.endsWith('-plans.json'))).toHaveLength(1);
    expect(kept.length).toBeLessThan(10);
    expect(kept.at(-1)).toBe('000000000051-logs.json');
    await outbox.close(0);
  });
});

describe('logs on their way to the server', () => {
  let test: TestApp;
  let url: string;
  let token: string;
  beforeAll(async () => {
    test = await startTestApp();
    url = await test.app.listen({ host: '127.0.0.1', port: 0 });
    ({ token } = await test.database.store.tokens.create({ name: 'worker', cluster: 'notprod' }));
  });
  afterAll(() => test.close());

  it('arrive whole, in order and once, whatever is lost on the way and whenever the worker ends', async () => {
    // Lost before the server saw it, lost after, or neither; and a worker that ends between two parts.
    const fault = fc.constantFrom('none', 'none', 'before', 'after', 'restart');
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 5, maxLength: 30 }), async (faults) => {
        const deploymentId = idOf((await storeRelease(test.database.store)).deployments, 'cs-dev');
        const folder = newFolder();
        const client = createServerClient({ url, token });
        const due = [...faults];
        const send: Send = async (...message) => {
          const now = due.shift();
          if (now === 'before') return LATER;
          const delivery = await client(...message);
          return now === 'after' ? LATER : delivery;
        };
        let outbox = await open({ folder, send });
        for (const [part, now] of faults.entries()) {
          if (now === 'restart') {
            await outbox.close(0);
            outbox = await open({ folder, send });
          }
          const lines = [`${part} a`, `${part} b`];
          await createServerLogSink(outbox).append(
            logLines(deploymentId, lines, { stream: 'writer', first: 2 * part }),
          );
        }
        await until(async () => (await readdir(folder)).length === 0);
        await outbox.close(0);
        const { items } = await test.database.store.logs.read({ deploymentId, limit: 200 });
        expect(items.map(({ text }) => text)).toEqual(
          faults.flatMap((_, part) => [`${part} a`, `${part} b`]),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('are kept while the token is not known', async () => {
    const wrong = createServerClient({ url, token: `slp_${'A'.repeat(43)}` });
    expect(await wrong('logs', '{}', new AbortController().signal)).toMatchObject({
      outcome: 'later',
      why: expect.stringContaining('401') as string,
    });
  });

  it('are sent in parts that the server takes, numbered on', async () => {
    const parts: LogLines[] = [];
    const sink = createServerLogSink({
      put: (_kind, body) => Promise.resolve(void parts.push(body as LogLines)),
    });
    const lines = Array.from({ length: 40 }, (_, line) => `${line} ${'"'.repeat(60_000)}`);
    await sink.append(logLines('dep_1', lines, { first: 7 }));
    expect(parts.length).toBeGreaterThan(1);
    let next = 7;
    for (const part of parts) {
      expect(JSON.stringify(part).length).toBeLessThan(1_048_576);
      expect(part.first).toBe(next);
      next += part.lines.length;
    }
    expect(parts.flatMap((part) => part.lines)).toEqual(lines);
  });
});

function open(change: Partial<OutboxOptions> & Pick<OutboxOptions, 'send'>): Promise<Outbox> {
  return Outbox.open({
    folder: newFolder(),
    onTrouble: () => undefined,
    retryFirstMs: 1,
    ...change,
  });
}

function newFolder(): string {
  folders += 1;
  return join(root, `${folders}`);
}

/** A server that takes what it is told to, and remembers it. */
function recording(sent: string[], judge: () => Delivery): Send {
  return (kind, body) => {
    const delivery = judge();
    if (delivery.outcome === 'taken') sent.push(`${kind} ${body}`);
    return Promise.resolve(delivery);
  };
}

function recorded(sent: string[], body: string): Delivery {
  sent.push(body);
  return TAKEN;
}

import { readFileSync } from 'node:fs';
import type { SecretRef } from './config.ts';
import type { Problem } from './problems.ts';

// A shorter text occurs by chance, so it cannot be taken out of logs.
const BYTES_MIN = 8;

type Found = { text: string } | { fault: string };

/** Reads secrets, and collects what is wrong with them instead of stopping at the first. */
export class SecretReader {
  readonly problems: Problem[] = [];
  readonly values = new Set<string>();
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(file: string, env: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#env = env;
  }

  /** The secret's value; empty, and a problem noted, where it cannot be had. */
  read({ source, ...place }: SecretRef, { bytesMin } = { bytesMin: BYTES_MIN }): string {
    const found = 'env' in source ? this.#readVariable(source.env) : readSecretFile(source.file);
    const fault = 'fault' in found ? found.fault : sizeFault(found.text, bytesMin);
    if ('fault' in found || fault !== undefined) {
      const name = 'env' in source ? `environment variable ${source.env}` : `file ${source.file}`;
      const message = `${place.path}: the ${name} ${fault ?? ''}`;
      this.problems.push({ file: this.#file, ...place, message });
      return '';
    }
    this.values.add(found.text);
    return found.text;
  }

  #readVariable(name: string): Found {
    const text = this.#env[name];
    return text === undefined ? { fault: 'is not set' } : { text };
  }
}

function sizeFault(text: string, bytesMin: number): string | undefined {
  if (text === '') return 'is empty';
  return Buffer.byteLength(text) < bytesMin ? `is shorter than ${bytesMin} bytes` : undefined;
}

function readSecretFile(path: string): Found {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return {
      fault: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    };
  }
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) return { fault: 'is not UTF-8 text' };
  return { text: text.replace(/\r?\n$/, '') };
}

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a script in this folder that Node runs as a process of its own: source or compiled. */
export function siblingScript(name: string): string {
  return fileURLToPath(new URL(`./${name}${extname(import.meta.filename)}`, import.meta.url));
}

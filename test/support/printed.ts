import { vi } from 'vitest';

/** Runs a command of the command line in this process, and returns what it prints on stdout. */
export async function printed(
  command: () => Promise<number>,
): Promise<{ stdout: string; exitCode: number }> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    return { exitCode: await command(), stdout: written.join('') };
  } finally {
    spy.mockRestore();
  }
}

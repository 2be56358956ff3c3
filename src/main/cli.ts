import { Command, CommanderError } from 'commander';
import { EXIT } from '../cli/exit-codes.ts';
import { Refusal, REFUSALS, SlipwayError } from '../domain/errors.ts';

/**
 * The root of the command line. A command is imported only when it runs, so that none pays for the
 * libraries of another. Each `action` returns nothing and sets `process.exitCode`, or throws.
 */
const program = new Command('slipway')
  .description('Releases helmfile deployment repositories.')
  .exitOverride()
  .showHelpAfterError('Run it with --help to see what is possible.');

program
  .command('doctor')
  .description('say what Slipway found on this machine, and what to do about what is missing')
  .option('--json', 'print the findings as JSON')
  .addHelpText('after', '\nExample:\n  slipway doctor --json')
  .action(async (options: { json?: boolean }) => {
    const { doctor } = await import('./doctor.ts');
    process.exitCode = await doctor(options);
  });

const tools = program.command('tools').description('the programs that Slipway works with');

tools
  .command('install')
  .description('install every tool that is neither in the cache nor on PATH')
  .addHelpText('after', '\nExample:\n  slipway tools install')
  .action(async () => {
    const { installAllTools } = await import('./tools-install.ts');
    await installAllTools();
  });

program
  .command('version')
  .description("print Slipway's version")
  .action(async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
    process.stdout.write(`${manifest.version}\n`);
  });

// Further commands follow here: `dev`, `serve`, `worker`, `migrate`, `token`, `config`, …

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says on stderr what went wrong, in words; the stack is for who asks with SLIPWAY_DEBUG. */
function report(error: unknown): number {
  // Commander has printed its own: help is no failure, everything else is wrong usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`slipway: ${message}\n`);
  if (process.env.SLIPWAY_DEBUG && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
  if (error instanceof SlipwayError) return EXIT.failed;
  return error instanceof Refusal ? REFUSALS[error.code].exit : EXIT.failed;
}

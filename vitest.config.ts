import { defineConfig } from 'vitest/config';

/** The sizes that are taken by hand. */
const isLong = process.env.SLIPWAY_TEST_SIZE === 'long';

/** Suites that start whole platforms run one file at a time, and after the quick ones. */
const slow = (name: string, order: number, files = '*') => ({
  test: {
    name,
    include: [`test/${name}/**/${files}.test.ts`],
    // Servers start again and again: each is quicker with a bundle that was built.
    globalSetup: ['test/support/bundle-global.ts'],
    pool: 'forks' as const,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    sequence: { groupOrder: order },
  },
});

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/integration/**',
            'test/e2e/**',
            'test/node/**',
            'test/lanes/**',
            'test/oracle/**',
            'test/kills/**',
          ],
          // One PostgreSQL for the run; test/support/database.ts makes databases in it.
          globalSetup: ['test/support/postgres-global.ts', 'test/support/bundle-global.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Order 0 would come last where one worker is all there is.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'lanes',
          include: ['test/lanes/**/*.test.ts'],
          globalSetup: ['test/support/postgres-global.ts', 'test/support/bundle-global.ts'],
          pool: 'forks',
          // The sizes of `npm run test:lanes:long` take their time.
          testTimeout: isLong ? 3_600_000 : 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      slow('integration', 3),
      slow('e2e', 4),
      slow('node', 5),
      slow('oracle', 6),
      slow('kills', 7, isLong ? '*' : 'kills'),
    ],
  },
});

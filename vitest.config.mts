import { defineConfig } from 'vitest/config';

/**
 * Every tfjs package must reach the same copy of tfjs-core, whose registries of kernels and gradients are global: as in
 * esbuild.mjs.
 */
const mainFields = ['module', 'main'];

interface Project {
  readonly testTimeout: number;
  /** Projects that are run at once take turns, from 0: what VS Code's tests wait for must not be held up by others. */
  readonly groupOrder: number;
  /**
   * How many test files run at a time. Vitest leaves a core to its main process, though that has little to do: half of a
   * machine that has two.
   */
  readonly maxWorkers?: string;
  readonly globalSetup?: string;
}

const project = (name: string, { testTimeout, groupOrder, ...others }: Project) => ({
  resolve: { mainFields },
  ssr: { resolve: { mainFields } },
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    ...others,
    sequence: { groupOrder },
    hookTimeout: Math.max(testTimeout, 60_000),
    // What a page is about to draw.
    expect: { poll: { timeout: 10_000 } },
    server: { deps: { inline: [/@tensorflow/] } },
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', { testTimeout: 30_000, groupOrder: 0, maxWorkers: '100%' }),
      project('webview', { testTimeout: 60_000, groupOrder: 1, maxWorkers: '100%', globalSetup: 'test/webview/bundle.ts' }),
      project('vscode', { testTimeout: 300_000, groupOrder: 2 }),
    ],
  },
});

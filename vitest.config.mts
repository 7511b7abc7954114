import { defineConfig } from 'vitest/config';

/**
 * Every tfjs package must reach the same copy of tfjs-core, whose registries of kernels and gradients are global: as in
 * esbuild.mjs.
 */
const mainFields = ['module', 'main'];

const project = (name: string, include: string, testTimeout: number) => ({
  resolve: { mainFields },
  ssr: { resolve: { mainFields } },
  test: {
    name,
    include: [include],
    testTimeout,
    hookTimeout: Math.max(testTimeout, 60_000),
    // What a page is about to draw.
    expect: { poll: { timeout: 10_000 } },
    server: { deps: { inline: [/@tensorflow/] } },
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', 'test/unit/**/*.test.ts', 30_000),
      project('webview', 'test/webview/**/*.test.ts', 60_000),
      project('vscode', 'test/vscode/**/*.test.ts', 300_000),
    ],
  },
});

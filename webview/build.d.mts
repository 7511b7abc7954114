import type { BuildOptions } from 'esbuild';

export declare const panelBuildOptions: BuildOptions;

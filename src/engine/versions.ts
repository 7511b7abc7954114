import { dependencies, version } from '../../package.json';

/** What a model is trained with; kept with it, since numbers may differ between versions. */
export const versions = { circuitExplorer: version, onnxruntime: dependencies['onnxruntime-node'] } as const;

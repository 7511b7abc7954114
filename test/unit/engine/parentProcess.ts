import { train } from '../../../src/protocol/engine';
import { eventually } from '../../support/eventually';
import { startEngine, trainersOf } from './engineProcess';
import { tinyExperiment } from './experiments';

// Stands for the extension host: starts an engine and a run in it, tells their numbers, and waits to be killed.

const [bundles = '', store = ''] = process.argv.slice(2);

async function tellAll(): Promise<void> {
  const engine = await startEngine(bundles, store);
  const { model } = await engine.connection.sendRequest(train, { experiment: { text: tinyExperiment({ steps: 1_000_000 }) } });
  const trainer = await eventually('the trainer', async () => trainersOf(engine).at(0));
  process.send?.({ engine: engine.info.processId, trainer, model: model.id });
}

void tellAll();

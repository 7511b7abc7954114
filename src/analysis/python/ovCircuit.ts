import type { PythonContext } from '../define';
import { circuitAxes } from '../weights/circuit';
import { asideOf, wholeBlock } from '../weights/circuitScores';
import { ovPath } from '../weights/copying';
import { circuitLines, circuitValues, pythonIndices, singularLines } from './circuits';

/** The OV circuits of ovCircuit with TransformerLens. */
export function ovCircuitLines(context: PythonContext, aside: string): readonly string[] {
  const { figure, task } = context;
  const { layer = 0, head = 0 } = figure.subject ?? {};
  if (figure.kind === 'bars') return copyingLines(context, asideOf(task, aside));
  const path = ovPath({ layer, head }, figure.title.endsWith(' by position') ? 'W_pos' : 'W_E');
  return [...circuitLines(context, path), ...(singularLines(context, path) ?? circuitValues(context, path))];
}

function copyingLines(context: PythonContext, aside: readonly string[]): readonly string[] {
  const { columns, diagonal } = wholeBlock(circuitAxes(context, ovPath({ layer: 0, head: 0 })), aside);
  const own = [...diagonal.values()].map(column => columns.indexOf(column));
  return [
    `tokens, outputs = ${pythonIndices([...diagonal.keys()])}, ${pythonIndices(columns)}`,
    `own = ${pythonIndices(own)}  # where a token itself is among the outputs`,
    'copying = []',
    'for layer in range(model.cfg.n_layers):',
    '    for head in range(model.cfg.n_heads):',
    '        logits = (model.W_E[tokens] @ model.OV[layer, head] @ model.W_U[:, outputs]).AB',
    '        copying.append((logits.argmax(dim=-1) == own).float().mean())',
    'figure = {"copying": torch.stack(copying)}',
  ];
}

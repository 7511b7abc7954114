import { throwIfCancelled } from '../../common/errors';
import { formatNumber } from '../../common/numbers';
import type { PathFactor } from '../../protocol/path';
import { circuitAxes } from './circuit';
import { wholeBlock, type Block } from './circuitScores';
import type { AnalysisContext } from '../define';
import type { Head } from '../heads';
import { chosenRows, columnsOf, headWeight, quickProduct, wordEmbeddings } from './weights';

/** The OV circuit of a head: from tokens, or positions, to logits. */
export function ovPath(head: Head, from: 'W_E' | 'W_pos' = 'W_E'): readonly PathFactor[] {
  return [{ matrix: from, transposed: false }, { matrix: 'OV', ...head, transposed: false }, { matrix: 'W_U', transposed: false }];
}

/** Numbers in the blocks of all heads that are looked at: some seconds' work. */
const mostNumbers = 2 ** 29;

/**
 * Every head's copying score, in float32, over the tokens that are outputs too and not left aside; undefined where there are
 * none, or where the vocabulary is so large that it would take minutes, as {@link copyingLeftOut} says.
 */
export async function copyingOfAll(context: AnalysisContext, heads: readonly Head[], aside: readonly string[]): Promise<readonly number[] | undefined> {
  const { model, signal, progress } = context;
  const { columns, diagonal } = copiedBlock(context, aside);
  if (diagonal.size === 0 || isTooLarge(columns, diagonal, heads)) return undefined;
  const read = chosenRows(wordEmbeddings(model), [...diagonal.keys()]); // [N, D]
  const write = columnsOf(model.parameter('unembed.W_U'), columns); // [D, C]
  const own = [...diagonal.values()].map(column => columns.indexOf(column)); // [N]
  const scores: number[] = [];
  for (const head of heads) {
    const { data } = await quickProduct(model, [read, headWeight(model, head, 'W_V')], [headWeight(model, head, 'W_O'), write]); // [N, C]
    throwIfCancelled(signal);
    const isLargest = (at: number, row: number) => {
      const logits = data.subarray(row * columns.length, (row + 1) * columns.length);
      return logits.every((logit, column) => column === at || logit < (logits[at] ?? 0));
    };
    scores.push(own.filter(isLargest).length / own.length);
    progress(scores.length / (heads.length + 1));
  }
  return scores;
}

/** What captions add where scores are left out for the size of the vocabulary: a sentence after a space, or nothing. */
export function copyingLeftOut(context: AnalysisContext, heads: readonly Head[], aside: readonly string[]): string {
  const { columns, diagonal } = copiedBlock(context, aside);
  if (!isTooLarge(columns, diagonal, heads)) return '';
  return ` Copying is left out: with ${formatNumber(diagonal.size)} tokens and ${formatNumber(heads.length)} heads it would take minutes.`;
}

function copiedBlock(context: AnalysisContext, aside: readonly string[]): Block {
  return wholeBlock(circuitAxes(context, ovPath({ layer: 0, head: 0 })), aside);
}

function isTooLarge(columns: readonly number[], diagonal: ReadonlyMap<number, number>, heads: readonly Head[]): boolean {
  return diagonal.size * columns.length * heads.length > mostNumbers;
}

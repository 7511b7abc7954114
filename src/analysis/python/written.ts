import type { HostTensor } from '../../common/tensor';

// What stands in Python as it is: numbers, words, prompts.

/** Python that is written by hand is read: it is laid out in lines of this many characters at most. */
const widest = 116;

/** Prompts that are written out; of more the first ones, which a comment says. */
export const mostPrompts = 64;

/** A text as a Python literal: JSON's escapes are Python's too. */
export function pythonText(text: string): string {
  return JSON.stringify(text);
}

/** A number as a Python literal, with all digits that a float32 has. */
export function pythonNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(9)));
}

/** As in `[0, 2, 5]`, on one line. */
export function pythonList(values: ArrayLike<number>): string {
  return `[${Array.from(values, pythonNumber).join(', ')}]`;
}

/** As in `["a", "b"]`, on one line. */
export function pythonTexts(texts: readonly string[]): string {
  return `[${texts.map(pythonText).join(', ')}]`;
}

/** `name = torch.tensor(…)` of one or two dimensions, over as many lines as it takes. */
export function tensorLines(name: string, { shape, data }: HostTensor): readonly string[] {
  const [rows = 0, columns] = shape;
  const items = columns === undefined
    ? Array.from(data, pythonNumber)
    : Array.from({ length: rows }, (_, row) => pythonList(data.subarray(row * columns, (row + 1) * columns)));
  const whole = `${name} = torch.tensor([${items.join(', ')}])`;
  return whole.length <= widest ? [whole] : [`${name} = torch.tensor([`, ...wrapped(items).map(line => `    ${line}`), '])'];
}

/**
 * Tensors that have a row for each prompt, under their names: `tokens [B, T]`, `answers [B, A]`. Of more than {@link mostPrompts}
 * only the first are written, and a comment says so.
 */
export function promptLines(tensors: Readonly<Record<string, HostTensor<'int32'>>>, what = 'examples'): readonly string[] {
  const count = Object.values(tensors)[0]?.shape[0] ?? 0;
  const cut = count > mostPrompts;
  return [
    ...(cut ? [`# The figure is over ${count.toLocaleString('en')} ${what}; these are the first ${mostPrompts} of them.`] : []),
    ...Object.entries(tensors).flatMap(([name, tensor]) => tensorLines(name, cut ? firstRows(tensor, mostPrompts) : tensor)),
  ];
}

function firstRows({ dtype, shape: [, ...rest], data }: HostTensor<'int32'>, rows: number): HostTensor<'int32'> {
  return { dtype, shape: [rows, ...rest], data: data.subarray(0, rows * rest.reduce((product, length) => product * length, 1)) };
}

/** Items with commas after them, as many on a line as fit. */
function wrapped(items: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + item.length + 2 <= widest - 4) lines[lines.length - 1] = `${last} ${item},`;
    else lines.push(`${item},`);
  }
  return lines;
}

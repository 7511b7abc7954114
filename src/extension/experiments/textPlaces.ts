/** A place in a text. Lines and characters count from 0. */
export interface Place {
  readonly line: number;
  readonly character: number;
}

/** Tells the places of offsets in a text that no editor has open. */
export function placesIn(text: string): (offset: number) => Place {
  const starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map(({ index, 0: end }) => index + end.length)];
  return offset => {
    let [line, end] = [0, starts.length];
    while (end - line > 1) {
      const middle = (line + end) >> 1;
      if ((starts[middle] ?? 0) <= offset) line = middle;
      else end = middle;
    }
    return { line, character: offset - (starts[line] ?? 0) };
  };
}

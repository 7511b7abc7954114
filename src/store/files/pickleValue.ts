/** What holds others. Sets are what lists are, for whoever reads them. */
export class PickleList {
  constructor(readonly items: PickleValue[], readonly kind: 'list' | 'tuple' | 'set') {}
}

export class PickleDictionary {
  readonly entries = new Map<string | number, PickleValue>();
  /** An OrderedDict, which can have attributes, rather than a dict. */
  constructor(readonly ordered: boolean) {}
}

/** Something of Python that a pickle names, and that may be named. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

export class PickleBytes {
  constructor(readonly bytes: Uint8Array) {}
}

/** What only those who gave it can read: a tensor, a storage, the type of a number. */
export abstract class PickleObject {
  abstract readonly what: string;
}

export type PickleValue =
  string | number | bigint | boolean | null | PickleList | PickleDictionary | PickleGlobal | PickleBytes | PickleObject;

/**
 * A value as a key: a text or a number as it is, and others, of tuples short ones, as the text that Python shows of them. Nothing for
 * what is no key.
 */
export function keyOf(value: PickleValue | undefined): string | number | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (value instanceof PickleList && value.kind === 'tuple') {
    const items = value.items.slice(0, 33).map(shownInKey);
    if (items.length > 32 || !items.every(item => item !== undefined && item.length <= 200)) return undefined;
    return `(${items.join(', ')}${items.length === 1 ? ',' : ''})`;
  }
  return shownInKey(value);
}

function shownInKey(value: PickleValue | undefined): string | undefined {
  switch (typeof value) {
    case 'string': return `'${value}'`;
    case 'number':
    case 'bigint': return String(value);
    case 'boolean': return value ? 'True' : 'False';
    default: return value === null ? 'None' : undefined;
  }
}

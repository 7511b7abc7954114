import type { ModelSummary } from '../protocol/model';

type Named = Pick<ModelSummary, 'id' | 'name'>;

/** Characters of an id, which is a hash in hexadecimal, that tell models of one name apart. */
const told = 7;

/** What a model is called among others: its name, and how its id begins where another one has that name too. */
export function distinctName({ id, name }: Named, models: Iterable<Named>): string {
  for (const other of models) if (other.name === name && other.id !== id) return `${name} (${id.slice(0, told)})`;
  return name;
}

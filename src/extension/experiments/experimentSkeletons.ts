/** What a field that an experiment cannot do without may begin with; in a list, for any of its items. */
const skeletons: Readonly<Record<string, unknown>> = {
  'task': 'modular-arithmetic',
  'task.name': 'modular-arithmetic',
  'model': { n_layers: 1, n_heads: 4, d_model: 128, d_head: 32, d_mlp: 512 },
  'model.n_layers': 1,
  'model.n_heads': 4,
  'model.d_model': 128,
  'model.d_head': 32,
  'training': { steps: 1000, batch: 128 },
  'training.steps': 1000,
  'claims[].claim': 'It learns the task',
  'claims[].analysis': 'training-curves',
  'claims[].scalar': 'testAccuracy',
  'claims[].expect': '>= 0.99',
  'claims[].or[].found': 'another way',
  'claims[].or[].analysis': 'training-curves',
  'claims[].or[].scalar': 'testAccuracy',
  'claims[].or[].expect': '>= 0.99',
  'breakpoints[].analysis': 'training-curves',
  'breakpoints[].scalar': 'testAccuracy',
};

/** What to begin the field at a path with, or nothing where nothing can be guessed. */
export function missingValue(path: readonly (string | number)[]): unknown {
  const name = path.reduce<string>((whole, part) => (typeof part === 'number' ? `${whole}[]` : whole === '' ? part : `${whole}.${part}`), '');
  return Object.hasOwn(skeletons, name) ? skeletons[name] : undefined;
}

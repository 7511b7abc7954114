import { int32, type HostTensor } from '../../common/tensor';
import type { ModelDetails } from '../../protocol/model';
import { modularArithmetic } from '../../tasks/modularArithmetic';

// p modulus

/** Addition or subtraction modulo p, which a model was trained on. */
export interface ModularTask {
  readonly modulus: number;
  /** The answer is a + sign·b: 1 for addition, −1 for subtraction. */
  readonly sign: 1 | -1;
  /** How the answer is written: `a + b`, `a − b`. */
  readonly answer: 'a + b' | 'a − b';
}

/** What to say of a model that is none of this. */
export const modularNeeds = 'a task of addition or subtraction modulo a number';

/** Whether the model's task is addition or subtraction modulo p. */
export function isModular({ experiment }: Pick<ModelDetails, 'experiment'>): boolean {
  return experiment.task.name === modularArithmetic.id;
}

/** The task of a model of which {@link isModular} holds. */
export function modularTaskOf({ experiment }: Pick<ModelDetails, 'experiment'>): ModularTask {
  const { operation, modulus } = experiment.task.parameters;
  if (experiment.task.name !== modularArithmetic.id || typeof modulus !== 'number') throw new Error(`${experiment.task.name} is not modular arithmetic`);
  return operation === 'subtract' ? { modulus, sign: -1, answer: 'a − b' } : { modulus, sign: 1, answer: 'a + b' };
}

/** All p² prompts `[p², 3]`: pair (a, b) in row a·p + b. */
export function allPairs({ modulus: p }: ModularTask): HostTensor<'int32'> {
  return int32([p * p, 3], Int32Array.from({ length: 3 * p * p }, (_, at) => {
    const [pair, position] = [Math.floor(at / 3), at % 3];
    return position === 0 ? Math.floor(pair / p) : position === 1 ? pair % p : p;
  }));
}

/** The right answers `[p²]` of {@link allPairs}. */
export function pairAnswers({ modulus: p, sign }: ModularTask): Int32Array {
  return Int32Array.from({ length: p * p }, (_, pair) => (Math.floor(pair / p) + sign * (pair % p) + p) % p);
}

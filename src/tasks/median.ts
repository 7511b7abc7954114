import { UserError } from '../common/errors';
import { median as medianOf } from '../common/median';
import { orderParameters, orderTask } from './orderStatistics';
import { defineTask } from './task';

/** The number in the middle of some numbers when they are sorted: `a1 … an =`, read at `=`. */
export const median = defineTask({
  id: 'median',
  title: 'Median',
  description: 'The middle one of an odd count of numbers, answered at the equals sign.',
  params: orderParameters,
  create(values) {
    const { count } = values;
    if (count % 2 === 0) throw new UserError(`The median of ${count} numbers is between two of them; take an odd count.`);
    return orderTask({ answersOf: numbers => [medianOf(numbers)] }, values);
  },
});

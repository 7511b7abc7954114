import { orderParameters, orderTask } from './orderStatistics';
import { defineTask } from './task';

/** Some numbers, written out from the smallest to the largest: `a1 … an = s1 … sn`. */
export const sort = defineTask({
  id: 'sort',
  title: 'Sort',
  description: 'Given some numbers, write them out from the smallest to the largest.',
  params: orderParameters,
  create: values => orderTask({ answersOf: numbers => numbers.toSorted((a, b) => a - b), written: 's' }, values),
});

import { orderParameters, orderTask } from './orderStatistics';
import { defineTask } from './task';

/** The largest of some numbers: `a1 … an =`, read at `=`. */
export const max = defineTask({
  id: 'max',
  title: 'Maximum',
  description: 'The largest of some numbers, answered at the equals sign.',
  params: orderParameters,
  create: values => orderTask({ answersOf: numbers => [Math.max(...numbers)] }, values),
});

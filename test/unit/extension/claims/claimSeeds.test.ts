import { expect, test } from 'vitest';
import { parseSeeds } from '../../../../src/extension/claims/claimSeeds';

test.each([
  ['0-4', [0, 1, 2, 3, 4]], ['0, 3, 7', [0, 3, 7]], ['7,3 , 0', [0, 3, 7]], ['1-3, 2, 9', [1, 2, 3, 9]], [' 5 – 6 ', [5, 6]], ['2147483647', [2147483647]],
])('"%s" names the seeds %j', (text, seeds) => {
  expect(parseSeeds(text)).toEqual(seeds);
});

test.each([
  ['', /written like/], ['a', /written like/], ['1,', /written like/], ['-1', /written like/], ['1.5', /written like/], ['4-2', /"2-4"/],
  ['2147483648', /at most/], ['0-999999999', /At most 100/], ['0-99, 200', /At most 100/],
])('"%s" names none', (text, message) => {
  expect(() => parseSeeds(text)).toThrow(message);
});

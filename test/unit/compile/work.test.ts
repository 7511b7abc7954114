import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { trace } from '../../../src/compile/tracing';
import { flopOf, isLittleWork, productsOf } from '../../../src/compile/work';

const matrix = (...shape: number[]) => ({ dtype: 'float32' as const, shape });

describe('productsOf', () => {
  test('finds the products of matrices and of batches of them, whichever operand is transposed', () => {
    const fn = (a?: Tensor, b?: Tensor, c?: Tensor) => [tf.matMul(a as Tensor, b as Tensor, true), tf.matMul(c as Tensor, c as Tensor, false, true)];
    const products = productsOf(trace(fn, [matrix(5, 3), matrix(5, 2), matrix(7, 3, 4)]));
    expect(products).toEqual([{ batch: 1, rows: 3, inner: 5, columns: 2 }, { batch: 7, rows: 3, inner: 4, columns: 3 }]);
    expect(products.map(flopOf)).toEqual([60, 504]);
  });

  test('does not count a product with a constant, which adds what another implementation would add otherwise', () => {
    const ones = (x?: Tensor) => [tf.matMul(x as Tensor, tf.tensor([1, 0, 1, 1], [2, 2])), tf.matMul(x as Tensor, x as Tensor, false, true)];
    expect(productsOf(trace(ones, [matrix(3, 2)]))).toEqual([{ batch: 1, rows: 3, inner: 2, columns: 3 }]);
  });

  test('nor one with a constant of equal numbers', () => {
    expect(productsOf(trace(x => [tf.matMul(x as Tensor, tf.ones([2, 2]))], [matrix(3, 2)]))).toEqual([]);
  });
});

describe('little work', () => {
  const product = (x?: Tensor) => [tf.sum(tf.matMul(x as Tensor, x as Tensor))];
  const sum = (x?: Tensor) => [tf.sum(tf.exp(x as Tensor))];

  test('is neither many operations nor large values', () => {
    expect(isLittleWork(trace(product, [matrix(200, 200)]))).toBe(true);
    expect(isLittleWork(trace(sum, [matrix(200, 200)]))).toBe(true);
    // 2 · 256³ operations on as many numbers as are still few, and one pass over more of them.
    expect(isLittleWork(trace(x => [tf.matMul(x as Tensor, x as Tensor, true), ...product(x)], [matrix(256, 256)]))).toBe(false);
    expect(isLittleWork(trace(sum, [matrix(300, 300)]))).toBe(false);
  });
});

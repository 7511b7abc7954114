/**
 * The Gini coefficient of numbers that are not negative: `Σ (2i − n − 1)·xᵢ / (n·Σ xᵢ)` over `x₁ ≤ … ≤ xₙ`. It is 0 where all
 * are the same, 1 − 1/n where one number is everything, and 0 for zeros (Hurley and Rickard 2009, "Comparing measures of
 * sparsity"; Nanda et al. 2023 measure by it how sparse weights are in the Fourier basis).
 */
export function gini(values: ArrayLike<number>): number {
  const ascending = Float64Array.from(values).sort();
  const n = ascending.length;
  const total = ascending.reduce((sum, value) => sum + value, 0);
  return total > 0 ? ascending.reduce((sum, value, at) => sum + (2 * at + 1 - n) * (value / total), 0) / n : 0;
}

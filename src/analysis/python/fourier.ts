import type { ModularTask } from '../fourier/modular';

/** `fourier [p, p]`, the real Fourier basis over the numbers modulo p, a vector in each row, and the `frequency [p]` of each. */
export function basisLines(p: number): readonly string[] {
  return [
    `p = ${p}`,
    'n = torch.arange(p, dtype=torch.float64)',
    'waves = [wave(2 * torch.pi * (k * n % p) / p) for k in range(1, p // 2 + 1) for wave in (torch.cos, torch.sin)]',
    'fourier = torch.stack([torch.ones_like(n), *waves][:p])  # constant, cos 1, sin 1, …; frequency p / 2 has no sine',
    'fourier = fourier / fourier.norm(dim=-1, keepdim=True)',
    'frequency = (torch.arange(p) + 1) // 2',
  ];
}

/** `pairs [p², 3]`, every prompt of a modular task; behind the lines of the basis. */
export const pairLines: readonly string[] = ['pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p), torch.tensor([p]))  # a, b, ='];

/** `answers [p²]` of the pairs. */
export function answerLines({ sign }: ModularTask): readonly string[] {
  return [`answers = (pairs[:, 0] ${sign === 1 ? '+' : '-'} pairs[:, 1]) % p`];
}

/** `keys`, the frequencies that figures mark as key. */
export function keyLines(frequencies: readonly number[]): readonly string[] {
  return [`keys = torch.tensor([${frequencies.join(', ')}], dtype=torch.long)`];
}

/**
 * `explained [p // 2, n]`: the fraction of the variance of functions `x [p, p, n]` of a and b that is in the products of 1, cos k
 * and sin k in a and in b; 0 for one that does not vary beyond rounding.
 */
export const explainedLines: readonly string[] = [
  'means = x.mean(dim=(0, 1))',
  'total = (x - means).square().sum(dim=(0, 1))',
  'spectra = torch.einsum("ia,abn->ibn", fourier, x - means)',
  'squares = torch.einsum("jb,ibn->ijn", fourier, spectra).square()',
  'of_k = ((frequency == 0) | (frequency == torch.arange(1, p // 2 + 1)[:, None])).double()  # [p // 2, p]',
  'explained = torch.einsum("ki,kj,ijn->kn", of_k, of_k, squares) / total',
  'deviation = total.sqrt() / p',
  'varies = deviation > torch.maximum(1e-5 * means.abs(), 1e-6 * deviation.max())',
  'explained = explained.where(varies, 0)',
];

/** A function of all pairs by a and b, or its spectrum, by how a title starts. `x` is `[p, p]`. */
export function pairFunctionLines(title: string): readonly string[] {
  if (title.startsWith('Spectrum')) return ['figure = fourier @ (x - x.mean()) @ fourier.T'];
  if (title.startsWith('Frequencies')) {
    return [
      'squares = (fourier @ (x - x.mean()) @ fourier.T) ** 2',
      'of_k = (frequency == torch.arange(p // 2 + 1)[:, None]).double()',
      'figure = (of_k @ squares @ of_k.T).sqrt()',
    ];
  }
  return ['figure = x'];
}

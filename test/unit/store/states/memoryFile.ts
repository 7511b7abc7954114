import type { ElementType } from '../../../../src/protocol/checkpointFile';
import { sizeOf, type HostTensor, type Shape } from '../../../../src/common/tensor';
import type { FileTensor, FileValue, TensorFile } from '../../../../src/store/files/tensorFile';

type Numbers = Float32Array | Float64Array | Int32Array;

/** Tensors as a file has them, with their numbers in memory. */
export class MemoryTensors {
  private readonly numbers = new Map<FileTensor, Numbers>();

  tensor(shape: Shape, values: ArrayLike<number> = new Float32Array(sizeOf(shape)), dtype: ElementType = 'float32'): FileTensor {
    const tensor: FileTensor = { kind: 'tensor', dtype, shape };
    const made = dtype === 'float64' ? Float64Array.from(values) : dtype === 'float32' || dtype.endsWith('float16') ? Float32Array.from(values) : Int32Array.from(values);
    this.numbers.set(tensor, made);
    return tensor;
  }

  state(weights: ReadonlyMap<string, HostTensor<'float32'>>): Map<string, FileTensor> {
    return new Map([...weights].map(([name, { shape, data }]) => [name, this.tensor(shape, data)]));
  }

  file(root: FileValue, path = '/models/model.pt'): TensorFile {
    const tensors = new Map<string, FileTensor>();
    const walk = (at: string, value: FileValue) => {
      if (value instanceof Map) for (const [key, inner] of value as ReadonlyMap<string | number, FileValue>) walk(at === '' ? String(key) : `${at}.${key}`, inner);
      else if (Array.isArray(value)) value.forEach((inner: FileValue, index) => walk(at === '' ? String(index) : `${at}.${index}`, inner));
      else if (typeof value === 'object' && value !== null && 'kind' in value) tensors.set(at, value);
    };
    walk('', root);
    return {
      path, format: 'torch', size: 0, metadata: new Map(), root, tensors,
      read: (tensor, from = 0, count) => {
        const numbers = this.numbers.get(tensor);
        if (!numbers) return Promise.reject(new Error('the tensor is of another file'));
        return Promise.resolve(numbers.slice(from, count === undefined ? undefined : from + count));
      },
      close: () => Promise.resolve(),
    };
  }
}

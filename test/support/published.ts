/** Files as SpeechBrain publishes them, with numbers that are made up. */
import { narrowToFloat16 } from '../../src/checkpoints/half-precision.js';
import { bytesSource } from '../../src/checkpoints/index.js';
import type { OpenFile } from '../../src/published/index.js';
import { createRandom, sizeOf } from '../../src/tensor/index.js';
import { dict, int, tensor, torchZip } from './torch.js';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** What a checkpoint holds of one tensor: float32 numbers, or int64 ones. */
export interface Saved {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

const strideOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** A state dict as torch.save writes it, in single or half precision. */
export function torchStateDict(
  tensors: ReadonlyMap<string, Saved>,
  precision: 'F32' | 'F16' = 'F32',
): Uint8Array {
  const storages: Record<string, Uint8Array> = {};
  const items = [...tensors].map(([name, { shape, data }], i) => {
    const half = data instanceof Float32Array && precision === 'F16';
    storages[i] = half
      ? narrowToFloat16(data)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const storage = half ? 'HalfStorage' : data instanceof Float32Array ? 'FloatStorage' : 'LongStorage';
    const parts = { key: String(i), storage, elements: data.length, shape, stride: strideOf(shape) };
    return [name, tensor(parts)] as const;
  });
  return torchZip(dict(...items), storages, { align: 64 });
}

/** SpeechBrain's normalizer.ckpt of `mels` bands, near what log-mel features of noise are. */
export function normalizerFile(mels: number): Uint8Array {
  const stride = [1];
  const parts = { elements: mels, shape: [mels], stride };
  return torchZip(
    dict(
      ['count', int(3)],
      ['glob_mean', tensor({ ...parts, key: '0' })],
      ['glob_std', tensor({ ...parts, key: '1' })],
    ),
    {
      0: new Uint8Array(new Float32Array(mels).fill(-20).buffer),
      1: new Uint8Array(new Float32Array(mels).fill(12).buffer),
    },
  );
}

/** Numbers for tensors of these names and shapes, such as keep what goes through the network in bounds. */
export function madeUp(shapes: Shapes, seed = 1): Map<string, Saved> {
  const random = createRandom(seed);
  const tensors = new Map<string, Saved>();
  for (const [name, shape] of Object.entries(shapes)) {
    if (name.endsWith('num_batches_tracked')) {
      tensors.set(name, { shape, data: BigInt64Array.of(7n) });
      continue;
    }
    const data = new Float32Array(sizeOf(shape));
    const isVector = shape.length === 1;
    const middle =
      /running_var$|norm.*weight$|after_conv\.0\.weight$|\.0\.weight$/.test(name) && isVector ? 1 : 0;
    const spread = isVector ? 0.1 : Math.sqrt(3 / Math.max(1, sizeOf(shape.slice(1))));
    for (let i = 0; i < data.length; i++) data[i] = middle + spread * (2 * random() - 1);
    tensors.set(name, { shape, data });
  }
  return tensors;
}

export type Files = Readonly<Record<string, Uint8Array | string>>;

/** Files in memory, as a folder has them. */
export const folderOf =
  (files: Files): OpenFile =>
  async (name) => {
    const file = files[name];
    if (file === undefined) return null;
    return bytesSource(typeof file === 'string' ? new TextEncoder().encode(file) : file, name);
  };

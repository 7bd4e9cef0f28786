/** Choice of the kernel variant that an operation runs on. */
import { chooseVariant, type KernelVariant, type VariantName } from '../../kernels/spec.js';

/** Fastest first. */
const PREFERENCE: readonly VariantName[] = ['relaxed', 'simd', 'reference'];

const chosen = new WeakMap<object, unknown>();

/** The kernel function of `variants` that is best here; chosen once. */
export function kernelOf<F>(variants: readonly KernelVariant<F>[]): F {
  const known = chosen.get(variants);
  if (known !== undefined) return known as F;
  const kernel = chooseVariant(variants, PREFERENCE).load();
  chosen.set(variants, kernel);
  return kernel;
}

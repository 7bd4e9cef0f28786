/** Which variant of which operation runs here, and why others don't. */
import { gpuSupport } from '../gpu/gpu.js';
import type { GpuMode } from '../gpu/gpu-js.js';
import type { AnyKernelSpec, KernelVariant, VariantName } from '../spec.js';

/** One way to run an operation. */
export interface MatrixCell {
  readonly variant: VariantName;
  /** Of the GPU variant: what it runs on. */
  readonly mode?: GpuMode;
  /** True, or one line that says why it does not run here. Null: the operation has no such variant. */
  readonly runs: true | string | null;
}

export interface MatrixRow {
  readonly operation: string;
  readonly spec: AnyKernelSpec;
  readonly cells: readonly MatrixCell[];
}

/** Variants that run without a GPU, in the order in which they are shown. */
export const PLAIN_VARIANTS = ['reference', 'simd', 'relaxed'] as const satisfies readonly VariantName[];
export type PlainVariant = (typeof PLAIN_VARIANTS)[number];

/** A row for each spec, with a cell for each of `variants` and each mode. */
export async function supportMatrix(
  specs: readonly AnyKernelSpec[],
  variants: readonly PlainVariant[],
  modes: readonly GpuMode[],
): Promise<MatrixRow[]> {
  const support: (readonly [GpuMode, true | string])[] = [];
  for (const mode of modes) support.push([mode, await gpuSupport(mode)]);
  return specs.map((any) =>
    any.visit((spec) => ({
      operation: spec.name,
      spec: any,
      cells: [
        ...variants.map((name): MatrixCell => {
          const variant = spec.variants.find((each: KernelVariant<unknown>) => each.name === name);
          return { variant: name, runs: variant ? variant.available() : null };
        }),
        ...support.map(
          ([mode, runs]): MatrixCell => ({ variant: 'gpu', mode, runs: spec.gpu ? runs : null }),
        ),
      ],
    })),
  );
}

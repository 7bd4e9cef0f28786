/** Times every variant of every kernel on its workloads, each checked before. */
import { difference } from '../kernels/check/difference.js';
import { checkKernel } from '../kernels/check/harness.js';
import { fillOperands, type KernelCase, outputsOf } from '../kernels/check/operands.js';
import { type AnyKernelSpec, kernelSpecs } from '../kernels/index.js';
import type { KernelSpec, KernelVariant, OperandSpecs } from '../kernels/spec.js';
import { kernelMemory } from '../kernels/wasm/runtime.js';
import { measure } from './measure.js';
import { observe } from './sink.js';
import type { Summary } from './statistics.js';

export interface KernelTiming {
  readonly kernel: string;
  readonly variant: KernelVariant<unknown>['name'];
  readonly workload: string;
  readonly took: Summary;
  readonly operations: number;
  readonly bytes: number;
}

export interface Unavailable {
  readonly kernel: string;
  readonly variant: string;
  readonly reason: string;
}

const SEED = 1;
/** A workload sums more terms than the sizes that the tolerance is tested on. */
const SLACK = 10;

/** The title of a timing; a filter is matched against it. */
export const titleOf = (kernel: string, variant: string, workload: string): string =>
  `${kernel}, ${variant}: ${workload}`;

/** Operands of the SIMD variants lie in their memory, as they do inside a network. */
function caseOf(variant: KernelVariant<unknown>): KernelCase {
  const inKernelMemory = variant.name === 'simd' || variant.name === 'relaxed';
  return { seed: SEED, placement: { offset: 0, gap: 0, inKernelMemory } };
}

/** Times what `wanted` says yes to, in the order of the specs. */
export async function* timeKernels(
  wanted: (title: string) => boolean,
  seconds: number,
): AsyncGenerator<KernelTiming | Unavailable> {
  for (const spec of kernelSpecs) yield* timeSpec(spec, wanted, seconds);
}

function timeSpec(
  any: AnyKernelSpec,
  wanted: (title: string) => boolean,
  seconds: number,
): AsyncGenerator<KernelTiming | Unavailable> {
  return any.visit(async function* (spec) {
    const absent = spec.variants.filter((variant) => variant.available() !== true);
    for (const variant of absent) {
      if (!spec.workloads.some(({ name }) => wanted(titleOf(spec.name, variant.name, name)))) continue;
      yield { kernel: spec.name, variant: variant.name, reason: String(variant.available()) };
    }
    const variants = spec.variants.filter((variant) => !absent.includes(variant));
    const checked = new Set<string>();
    for (const { name: workload, sizes } of spec.workloads) {
      const asked = variants.filter((variant) => wanted(titleOf(spec.name, variant.name, workload)));
      const expected = asked.length > 0 ? await referenceOutputs(spec, sizes) : new Map();
      for (const variant of asked) {
        const kernel = variant.load();
        if (!checked.has(variant.name)) {
          const { complaints } = await checkKernel(spec, kernel, spec.sizes[0]!, caseOf(variant));
          if (complaints.length > 0) {
            const wrong = complaints.map(({ message }) => message).join('; ');
            throw new Error(`${spec.name}, ${variant.name} is wrong: ${wrong}`);
          }
          checked.add(variant.name);
        }
        const took = await timeOne(spec, variant, kernel, sizes, expected, seconds);
        yield { kernel: spec.name, variant: variant.name, workload, took, ...spec.cost(sizes) };
      }
    }
  });
}

/** What the reference, which every spec begins with, makes of a workload. */
async function referenceOutputs<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  sizes: S,
): Promise<Map<string, Float64Array>> {
  const reference = spec.variants[0]!;
  const operands = fillOperands(spec, sizes, caseOf(reference));
  await spec.bind(reference.load(), sizes, operands)();
  return new Map(outputsOf(spec, sizes, operands).map(({ name, values }) => [name, values]));
}

async function timeOne<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  variant: KernelVariant<F>,
  kernel: F,
  sizes: S,
  expected: ReadonlyMap<string, Float64Array>,
  seconds: number,
): Promise<Summary> {
  const memory = kernelMemory();
  const mark = memory?.mark() ?? 0;
  try {
    const operands = fillOperands(spec, sizes, caseOf(variant));
    const work = spec.bind(kernel, sizes, operands);
    await work();
    for (const { name, isInteger, values } of outputsOf(spec, sizes, operands)) {
      const allowed = isInteger ? 0 : SLACK * spec.tolerance;
      const off = difference(values, expected.get(name)!);
      if (off <= allowed) continue;
      const where = `${spec.name}, ${variant.name}, ${JSON.stringify(sizes)}`;
      throw new Error(`${where}: ${name} is ${off} of its range off the reference, more than ${allowed}`);
    }
    const took = await measure(work, seconds);
    for (const { values } of outputsOf(spec, sizes, operands)) observe(values);
    return took;
  } finally {
    memory?.pop(mark);
  }
}

/** What a filter can name. */
export interface KernelNames {
  readonly kernels: readonly string[];
  readonly variants: readonly string[];
  readonly workloads: readonly string[];
  readonly titles: readonly string[];
}

export function kernelNames(): KernelNames {
  const of = (get: (spec: KernelSpec<object, OperandSpecs, unknown>) => readonly string[]): string[] => [
    ...new Set(kernelSpecs.flatMap((any) => any.visit((spec) => get(spec as never)))),
  ];
  return {
    kernels: of((spec) => [spec.name]),
    variants: of((spec) => spec.variants.map(({ name }) => name)),
    workloads: of((spec) => spec.workloads.map(({ name }) => name)),
    titles: of(({ name: kernel, variants, workloads }) =>
      workloads.flatMap(({ name }) => variants.map((variant) => titleOf(kernel, variant.name, name))),
    ),
  };
}

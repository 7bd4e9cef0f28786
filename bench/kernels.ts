/** Times every variant of every kernel on its workloads, each checked before. */
import { checkKernel } from '../kernels/check/harness.js';
import { fillOperands, outputsOf } from '../kernels/check/operands.js';
import { type AnyKernelSpec, kernelSpecs } from '../kernels/index.js';
import type { KernelSpec, KernelVariant, OperandSpecs } from '../kernels/spec.js';
import { kernelMemory } from '../kernels/wasm/runtime.js';
import { caseOf, type Expected, referenceOutputs, requireAgreement } from './checked.js';
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

/** The title of a timing; a filter is matched against it. */
export const titleOf = (kernel: string, variant: string, workload: string): string =>
  `${kernel}, ${variant}: ${workload}`;

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

async function timeOne<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
  variant: KernelVariant<F>,
  kernel: F,
  sizes: S,
  expected: Expected,
  seconds: number,
): Promise<Summary> {
  const memory = kernelMemory();
  const mark = memory?.mark() ?? 0;
  try {
    const operands = fillOperands(spec, sizes, caseOf(variant));
    const work = spec.bind(kernel, sizes, operands);
    await work();
    requireAgreement(spec, variant.name, sizes, operands, expected);
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

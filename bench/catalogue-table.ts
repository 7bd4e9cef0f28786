/** The table of operations and variants in kernels/README.md. */
import { kernelSpecs } from '../kernels/index.js';
import type { VariantName } from '../kernels/spec.js';
import type { KernelTiming } from './kernels.js';
import { giga, percent, time } from './report.js';

export interface CatalogueRow {
  readonly kernel: string;
  readonly variant: VariantName;
  readonly summary: string;
  readonly formula: string;
  readonly tolerance: number;
  readonly workload: string;
  /** A timing, or why there is none. */
  readonly measured?: KernelTiming | string | undefined;
}

/** Where the generated part of kernels/README.md begins. */
export const MARK = '<!-- from here on written by npm run bench:catalogue -->';

/** A row for each variant of each kernel, without timings. */
export function catalogueRows(): CatalogueRow[] {
  return kernelSpecs.flatMap((any) =>
    any.visit(({ name: kernel, formula, tolerance, workloads, variants }) =>
      variants.map(({ name: variant, summary }) => {
        const workload = workloads[workloads.length - 1]?.name ?? '';
        return { kernel, variant, summary, formula, tolerance, workload };
      }),
    ),
  );
}

/** Peaks in operations a second. */
export type Peaks = Readonly<Record<'simd' | 'relaxed', number | null>>;

function measuredCells({ measured, variant }: CatalogueRow, reference: number | null, peaks: Peaks): string {
  if (measured === undefined || typeof measured === 'string') return `${measured ?? ''} | | | `;
  const { took, operations } = measured;
  const peak = peaks[variant === 'relaxed' ? 'relaxed' : 'simd'];
  const share = peak === null ? '' : percent(operations / took.median / peak);
  const faster = reference === null ? '' : (reference / took.median).toFixed(1);
  return `${time(took.median)} | ${giga(operations, took.median).toFixed(1)} | ${share} | ${faster}`;
}

export function renderCatalogue(rows: readonly CatalogueRow[], peaks: Peaks, machine: string): string {
  const lines = [
    MARK,
    '',
    '## Catalogue',
    '',
    `Medians, one thread, operands where a network has them; ${machine}. "of peak" is the share of what this machine`,
    'multiplies and adds on registers with WebAssembly SIMD (fused for `relaxed`); transforms, exponentials and memory',
    'have other limits. "faster" is against the reference.',
    '',
  ];
  for (const kernel of new Set(rows.map((row) => row.kernel))) {
    const variants = rows.filter((row) => row.kernel === kernel);
    const [{ formula, tolerance, workload }] = variants as [CatalogueRow];
    const first = variants.find(({ variant }) => variant === 'reference')?.measured;
    const reference = typeof first === 'object' ? first.took.median : null;
    lines.push(
      `### ${kernel}`,
      '',
      `\`${formula}\`, within ${tolerance} of the largest result. Timed: ${workload}.`,
      '',
      '| variant | how | time | GFLOP/s | of peak | faster |',
      '| --- | --- | ---: | ---: | ---: | ---: |',
      ...variants.map(
        (row) => `| ${row.variant} | ${row.summary} | ${measuredCells(row, reference, peaks)} |`,
      ),
      '',
    );
  }
  return lines.join('\n');
}

/** `acom kernels`: what runs here, and whether its numbers are right. */

import type { MatrixCell, MatrixRow, PlainVariant, Verdict } from '../../kernels/check/index.js';
import type { GpuMode } from '../../kernels/gpu/gpu-js.js';
import type { AnyKernelSpec } from '../../kernels/spec.js';
import { automaticVariant } from '../ops/dispatch.js';
import { UsageError } from '../tensor/index.js';
import { engineFacts, jsonLines, matrixLines, type ReportRow, summaryLine } from './kernels-report.js';
import { startProgress } from './progress.js';
import { EXIT, type ExitCode, print } from './run.js';

export interface KernelsArguments {
  readonly verify?: boolean;
  readonly variant?: readonly string[];
  /** False: no GPU variants. */
  readonly gpu?: readonly string[] | false;
  readonly json?: boolean;
}

/** GPU variants are verified on so many sizes of each operation: software GPUs take long. */
const GPU_SIZES = 6;

/** The checks are loaded by this command alone. */
const loadChecks = () => import('../../kernels/check/index.js');
type Checks = Awaited<ReturnType<typeof loadChecks>>;

export async function kernels(operations: readonly string[], options: KernelsArguments): Promise<ExitCode> {
  const { kernelSpecs } = await import('../../kernels/index.js');
  const { lines, code } = await kernelReport(kernelSpecs, operations, options);
  print(...lines);
  return code;
}

/** What the command prints about `specs`, and its exit code. */
export async function kernelReport(
  specs: readonly AnyKernelSpec[],
  operations: readonly string[],
  options: KernelsArguments,
): Promise<{ readonly lines: readonly string[]; readonly code: ExitCode }> {
  const checks = await loadChecks();
  const { GPU_MODES } = await import('../../kernels/gpu/gpu-js.js');
  const wanted = filtered(specs, operations);
  const variants = named(options.variant, checks.PLAIN_VARIANTS, '--variant');
  const gpu = options.gpu === undefined && options.variant ? false : options.gpu;
  const modes = gpu === false ? [] : named(gpu, GPU_MODES, '--gpu');
  const matrix = await checks.supportMatrix(wanted, variants, modes);
  const verdicts = options.verify ? await verdictsOf(checks, matrix) : null;
  const rows = matrix.map((row) => reportRow(row, verdicts));

  const asked = new Set<string>([...(options.variant ?? []), ...(gpu || [])]);
  const missing = options.verify ? missingOf(rows, asked) : [];
  const wrong = rows.flatMap(({ cells }) => cells.flatMap(({ verdict }) => verdict?.disagreements ?? []));
  const code = wrong.length > 0 || missing.length > 0 ? EXIT.failed : EXIT.done;
  const engine = engineFacts();
  if (options.json) return { lines: jsonLines(engine.json, rows), code };
  const lines = [...engine.lines, '', ...matrixLines(rows, variants, modes, checks.digits)];
  if (options.verify) {
    lines.push('', ...wrong.map(checks.describe), ...missing, summaryLine(rows));
  }
  return { lines, code };
}

/** Specs whose names hold one of the words; throws UsageError for a word that none holds. */
function filtered(specs: readonly AnyKernelSpec[], words: readonly string[]): readonly AnyKernelSpec[] {
  for (const word of words) {
    if (specs.some(({ name }) => name.includes(word))) continue;
    throw new UsageError(
      `no operation is called "${word}"; there are ${specs.map(({ name }) => name).join(', ')}`,
    );
  }
  return words.length === 0 ? specs : specs.filter(({ name }) => words.some((word) => name.includes(word)));
}

function named<N extends PlainVariant | GpuMode>(
  given: readonly string[] | undefined,
  all: readonly N[],
  option: string,
): readonly N[] {
  const unknown = given?.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UsageError(`${option} ${unknown}: use ${all.join(', ')}`);
  return given ? all.filter((name) => given.includes(name)) : all;
}

type Verdicts = ReadonlyMap<MatrixCell, Verdict | string>;

async function verdictsOf(checks: Checks, matrix: readonly MatrixRow[]): Promise<Verdicts> {
  const cells = matrix.flatMap((row) => row.cells.filter(({ runs }) => runs === true));
  const progress = startProgress('verifying', cells.length, 'variants');
  const verdicts = new Map<MatrixCell, Verdict | string>();
  try {
    for await (const { cell, verdict } of checks.verifyMatrix(matrix, { sizes: GPU_SIZES, inTurn: true })) {
      verdicts.set(cell, verdict);
      progress.update(verdicts.size);
    }
  } finally {
    progress.stop();
  }
  return verdicts;
}

function reportRow({ operation, spec, cells }: MatrixRow, verdicts: Verdicts | null): ReportRow {
  return {
    operation,
    auto: spec.visit(({ variants }) => automaticVariant(variants)),
    tolerance: spec.visit(({ tolerance }) => tolerance),
    cells: cells.map((cell) => {
      const verdict = verdicts?.get(cell);
      if (typeof verdict === 'string') return { ...cell, runs: verdict };
      return verdict ? { ...cell, verdict } : cell;
    }),
  };
}

/** Lines about what was asked for by name and runs for no operation. */
function missingOf(rows: readonly ReportRow[], asked: ReadonlySet<string>): string[] {
  const reasons = new Map<string, string>();
  const ran = new Set<string>();
  for (const { variant, mode, runs } of rows.flatMap(({ cells }) => cells)) {
    const name = mode ?? variant;
    if (runs === true) ran.add(name);
    else if (asked.has(name)) reasons.set(name, runs ?? reasons.get(name) ?? 'no operation here has it');
  }
  return [...reasons]
    .filter(([name]) => !ran.has(name))
    .map(([name, reason]) => `${name} was asked for, but does not run: ${reason}`);
}

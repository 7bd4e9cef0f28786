/** What `acom kernels` prints. */
import type { Disagreement, MatrixCell, Verdict } from '../../kernels/check/index.js';
import { engineFeatures } from '../../kernels/wasm/runtime.js';
import { chosenKernels } from '../ops/dispatch.js';
import { thisMachine } from './machine.js';
import { version } from './model.js';
import { count, type Facts, pairs, table } from './text.js';

export interface ReportCell extends MatrixCell {
  /** Where the cell was verified. */
  readonly verdict?: Verdict;
}

export interface ReportRow {
  readonly operation: string;
  /** The variant that operations take by themselves. */
  readonly auto: string;
  readonly tolerance: number;
  readonly cells: readonly ReportCell[];
}

/** The machine, what its engine can do, and what was chosen. */
export function engineFacts(): Facts {
  const { processor, cores, system, node, v8 } = thisMachine();
  const features = engineFeatures();
  const choice = chosenKernels();
  const said = (reason: true | string) => (reason === true ? 'yes' : `no: ${reason}`);
  return {
    json: {
      acom: version,
      node,
      v8,
      system,
      architecture: process.arch,
      processor,
      cores,
      features,
      kernels: choice,
    },
    lines: pairs([
      ['acom', `${version}, Node ${node} (V8 ${v8})`],
      ['machine', `${processor}, ${cores} cores, ${system} ${process.arch}`],
      ['WebAssembly SIMD', said(features.simd)],
      ['relaxed SIMD', said(features.relaxed)],
      ['threads', said(features.threads)],
      ['kernels', choice === 'auto' ? 'auto (ACOM_KERNELS chooses others)' : `${choice}, by ACOM_KERNELS`],
    ]),
  };
}

/** The table, and below it the reasons why cells do not run. */
export function matrixLines(
  rows: readonly ReportRow[],
  variants: readonly string[],
  modes: readonly string[],
  digits: (error: number) => string,
): string[] {
  const reasons: string[] = [];
  const text = ({ runs, verdict }: ReportCell): string => {
    if (verdict) return verdict.disagreements.length > 0 ? 'WRONG' : digits(verdict.error);
    if (runs === null) return '-';
    if (runs === true) return 'runs';
    if (!reasons.includes(runs)) reasons.push(runs);
    return `[${reasons.indexOf(runs) + 1}]`;
  };
  const isVerified = rows.some(({ cells }) => cells.some(({ verdict }) => verdict));
  const left = (title: string) => ({ title, align: 'left' as const });
  const columns = ['operation', 'auto', ...(isVerified ? ['tolerance'] : []), ...variants];
  const lines = table(
    [...columns, ...modes.map((mode) => `gpu:${mode}`)].map(left),
    rows.map(({ operation, auto, tolerance, cells }) => [
      operation,
      auto,
      ...(isVerified ? [digits(tolerance)] : []),
      ...cells.map(text),
    ]),
  );
  const notes = reasons.map((reason, n) => `[${n + 1}] ${reason}`);
  return notes.length > 0 ? [...lines, '', ...notes] : lines;
}

/** How much was verified. */
export function summaryLine(rows: readonly ReportRow[]): string {
  const verdicts = rows.flatMap(({ cells }) => cells.flatMap(({ verdict }) => verdict ?? []));
  if (verdicts.length === 0) return 'nothing that was asked for runs here: nothing was verified';
  const wrong = verdicts.filter(({ disagreements }) => disagreements.length > 0).length;
  const calls = verdicts.reduce((sum, verdict) => sum + verdict.calls, 0);
  const number = (n: number, name: string) => `${count(n)} ${name}${n === 1 ? '' : 's'}`;
  const what = `${number(verdicts.length, 'variant')} of ${number(rows.length, 'operation')} in ${number(calls, 'call')}`;
  return wrong === 0
    ? `${what}: all within tolerance of float64`
    : `${what}: ${count(wrong)} ${wrong === 1 ? 'is' : 'are'} WRONG`;
}

/** One line about the machine, then one for each variant of each operation. */
export function jsonLines(engine: Record<string, unknown>, rows: readonly ReportRow[]): string[] {
  const cells = rows.flatMap(({ operation, auto, cells }) =>
    cells.flatMap(({ variant, mode, runs, verdict }) => {
      if (runs === null) return [];
      const reason = runs === true ? {} : { reason: runs };
      const verified = verdict
        ? {
            verified: {
              calls: verdict.calls,
              // JSON has no infinity: null is an error that is no number.
              error: finite(verdict.error),
              tolerance: verdict.tolerance,
              disagreements: verdict.disagreements.map(withoutNames),
            },
          }
        : {};
      return [
        { operation, variant, ...(mode ? { mode } : {}), auto, runs: runs === true, ...reason, ...verified },
      ];
    }),
  );
  return [engine, ...cells].map((line) => JSON.stringify(line));
}

const finite = (error: number): number | null => (Number.isFinite(error) ? error : null);

/** The line says already which variant of which operation it is about. */
function withoutNames({ sizes, call, output, error, message }: Disagreement): object {
  return { sizes, call, output, ...(error === undefined ? {} : { error: finite(error) }), message };
}

/** The table of GPU variants in kernels/README.md: operation by place and mode. */
import { digits, gpuTolerance, type Verdict } from '../kernels/check/index.js';
import { kernelSpecs } from '../kernels/index.js';

/** Where the generated part begins and ends. */
export const AGREEMENT = {
  begin: '<!-- written by npm run bench:agreement -->',
  end: '<!-- up to here -->',
} as const;

/** A mode in a place. */
export interface AgreementColumn {
  /** "Node webgpu" */
  readonly title: string;
  /** What it ran on; or why it does not run there. */
  readonly device: string;
  /** Null where it does not run. */
  readonly verdicts: readonly Verdict[] | null;
}

/** Operations with the tolerance of their GPU variant, and those that have none. */
export function gpuOperations(): { readonly with: Map<string, number>; readonly without: string[] } {
  const found = { with: new Map<string, number>(), without: [] as string[] };
  for (const any of kernelSpecs) {
    any.visit((spec) => {
      if (spec.gpu) found.with.set(spec.name, gpuTolerance(spec));
      else found.without.push(spec.name);
    });
  }
  return found;
}

/** Tolerances of GPU variants that are not those of their specs, as sentences. */
const reasons = (): string[] =>
  kernelSpecs.flatMap((any) =>
    any.visit(({ name, gpuTolerance: own }) =>
      own ? [`${name} within ${own.tolerance}: ${own.reason}.`] : [],
    ),
  );

export function renderAgreement(columns: readonly AgreementColumn[], machine: string): string {
  const { with: operations, without } = gpuOperations();
  const ran = columns.filter(({ verdicts }) => verdicts);
  const cell = (operation: string, { verdicts }: AgreementColumn): string => {
    const verdict = verdicts?.find((each) => each.operation === operation);
    if (!verdict) return '';
    return verdict.disagreements.length > 0 ? `**wrong: ${digits(verdict.error)}**` : digits(verdict.error);
  };
  const calls = (verdicts: readonly Verdict[]) => verdicts.reduce((sum, verdict) => sum + verdict.calls, 0);
  return [
    AGREEMENT.begin,
    '',
    'The largest error of all calls as a part of the largest result, against the formula in float64. Indices',
    `(nearest-codeword) have to be equal. ${machine}.`,
    '',
    `| operation | tolerance |${ran.map(({ title }) => ` ${title} |`).join('')}`,
    `| --- | ---: |${ran.map(() => ' ---: |').join('')}`,
    ...[...operations].map(
      ([name, tolerance]) =>
        `| ${name} | ${digits(tolerance)} |${ran.map((column) => ` ${cell(name, column)} |`).join('')}`,
    ),
    '',
    ...columns.map(({ title, device, verdicts }) =>
      verdicts ? `- ${title}: ${device}, ${calls(verdicts)} calls.` : `- ${title}: not run: ${device}.`,
    ),
    ...(without.length > 0 ? [`- No GPU variant: ${without.join(', ')}.`] : []),
    ...reasons().map((reason) => `- ${reason}`),
    '',
    AGREEMENT.end,
  ].join('\n');
}

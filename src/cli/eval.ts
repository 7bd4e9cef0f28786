import {
  codebooksOf,
  type Evaluation,
  type Outcome,
  openSubject,
  runRecording,
  type Score,
  type Subject,
  summarize,
} from '../evaluation/index.js';
import { FormatError, UsageError } from '../tensor/index.js';
import { rateCurve, requirePlotting } from './chart.js';
import { openDetails } from './eval-details.js';
import { localPaths, requireSafeOutputs, shortPath, writeOutput } from './files.js';
import { type ManifestEntry, readManifest } from './manifest.js';
import { modelPath } from './model.js';
import { startProgress } from './progress.js';
import { openRecording, warnIfCut } from './recordings.js';
import { EXIT, type ExitCode, given, naming, print } from './run.js';
import { count, large, percent, seconds, table } from './text.js';

export interface EvalArguments {
  readonly model?: string;
  readonly beam?: number;
  readonly json?: boolean;
  /** File that keeps a line for each recording; an interrupted run goes on from it. */
  readonly details?: string;
  /** File for a drawing of the scores over the bit rates. */
  readonly svg?: string;
}

async function runEntry(subject: Subject, entry: ManifestEntry, beam: number): Promise<Outcome> {
  const recording = await openRecording(entry.file);
  warnIfCut(entry.file, recording);
  try {
    return runRecording(subject, { path: entry.path, said: entry.said, beam }, recording);
  } finally {
    recording.close();
  }
}

const columns = (metric: Evaluation['metric']) => [
  { title: '', align: 'left' as const },
  { title: 'raw bit/s' },
  { title: 'entropy' },
  { title: 'coded' },
  { title: metric === 'accuracy' ? 'right' : 'word errors' },
  { title: metric === 'accuracy' ? 'accuracy' : 'rate' },
  { title: '95 % interval' },
];

function report(result: Evaluation): string[] {
  const { model, metric, recordings, continuous, points } = result;
  const scored = ({ count: counted, total, rate, interval: [low, high] }: Score) => [
    `${counted} of ${count(total)}`,
    percent(rate),
    `${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)} %`,
  ];
  const rows = [
    ['continuous', '', '', '', ...scored(continuous)],
    ...points.map((point) => [
      `k = ${point.k}`,
      point.rawBitRate.toFixed(1),
      point.entropyBitRate.toFixed(1),
      point.codedBitRate.toFixed(1),
      ...scored(point),
    ]),
  ];
  const what =
    metric === 'accuracy'
      ? `${count(recordings)} recordings`
      : `${count(recordings)} utterances, ${count(continuous.total)} words`;
  const { deviceMacs, cloudMacs } = result;
  const costs =
    points.length > 0
      ? `multiply-adds for a second: device ${large(deviceMacs)}, cloud ${large(cloudMacs)}`
      : `multiply-adds for a second: ${large(deviceMacs + cloudMacs)}`;
  return [
    `${model}: ${what}, ${seconds(result.seconds)}`,
    '',
    ...table(columns(metric), rows),
    '',
    costs,
    ...(points.length > 0
      ? [
          `device half ${result.deviceSpeed.toFixed(0)} times, cloud half ${result.cloudSpeed.toFixed(0)} times faster ` +
            'than real time; coded counts every byte of every file',
        ]
      : ['this network has no codebooks, so nothing can be sent: fit some with acom model fit']),
  ];
}

/** Throws where a label is none that the model could give: every recording of it would count as wrong. */
function requireLabels(manifest: string, entries: readonly ManifestEntry[], { config }: Subject): void {
  if (config.task !== 'classification') return;
  const strange = entries.findIndex(({ said }) => !config.labels.includes(said));
  if (strange === -1) return;
  throw new FormatError(
    manifest,
    `entry ${strange + 1} has the label ${JSON.stringify(entries[strange]!.said)}, which ${config.name} does not know; ` +
      `its labels are ${config.labels.join(', ')}`,
  );
}

/** acom eval: word errors or accuracy, and bit rates, of a test set. */
export async function evaluate(manifest: string, options: EvalArguments): Promise<ExitCode> {
  const { details, svg, beam = 0 } = options;
  // A manifest that is wrong shows before a model is loaded, which then says what its lines must hold.
  await readManifest(manifest, null);
  const path = modelPath(options.model);
  const subject = await naming(path, () => openSubject(path, given({ beam: options.beam })));
  const entries = await readManifest(
    manifest,
    subject.config.task === 'recognition' ? 'transcript' : 'label',
  );
  requireLabels(manifest, entries, subject);
  if (svg !== undefined) {
    // Before hours of work rather than after.
    await requirePlotting();
    if (codebooksOf(subject) === 0) {
      throw new UsageError(
        `${subject.config.name} has no codebooks, so there is no curve to draw: leave out --svg, or fit some with acom model fit`,
      );
    }
    const inputs = [
      ...localPaths(path),
      manifest,
      ...entries.map(({ file }) => file),
      ...(details === undefined ? [] : [details]),
    ];
    await requireSafeOutputs(inputs, [{ path: svg, of: 'the drawing' }]);
  }
  const kept = await (details === undefined
    ? openDetails(details, entries, subject, beam)
    : naming(details, () => openDetails(details, entries, subject, beam)));
  const progress = startProgress('eval', entries.length, 'recordings');
  const outcomes: Outcome[] = [];
  try {
    for (const [i, entry] of entries.entries()) {
      const known = kept.done.get(entry.path);
      // One that fails ends the run: the score of the others is not that of the test set.
      const outcome =
        known?.said === entry.said
          ? known
          : await naming(`${shortPath(entry.file)} (entry ${i + 1} of ${shortPath(manifest)})`, () =>
              runEntry(subject, entry, beam),
            );
      if (outcome !== known) await kept.keep(outcome);
      outcomes.push(outcome);
      progress.update(outcomes.length);
    }
  } finally {
    progress.stop();
  }
  const result = summarize(outcomes, subject);
  if (svg !== undefined) await writeOutput(svg, new TextEncoder().encode(await rateCurve(result)));
  print(...(options.json ? [JSON.stringify(result)] : report(result)));
  return EXIT.done;
}

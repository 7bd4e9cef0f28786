/** One recording of a test set through a subject, uncut and with every number of codebooks. */
import { isCodec } from '../codec/index.js';
import type { Subject } from './subject.js';

/** What one recording came to. */
export interface Outcome {
  readonly path: string;
  /** Words that were said, or the label of the recording. */
  readonly said: string;
  readonly fingerprint: number;
  readonly beam: number;
  readonly seconds: number;
  readonly deviceMilliseconds: number;
  readonly cloudMilliseconds: number;
  /** By the uncut model. */
  readonly heardUncut: string;
  /** By the first k codebooks, k = 1 .. K. */
  readonly heard: readonly string[];
  readonly bytes: readonly number[];
  /** Vector after vector, one index for each stage. */
  readonly indices: readonly number[];
}

/** A recording of a test set. */
export interface TestRecording {
  readonly sampleRate: number;
  readonly seconds: number;
  /** Mono samples, block after block. */
  blocks(): Iterable<Float32Array>;
}

/** Codebooks of a subject; none of a network without. */
export const codebooksOf = ({ config }: Subject): number =>
  isCodec(config) ? config.quantizer.codebooks : 0;

/** Measures how long work took, in pieces. */
function stopwatch() {
  let milliseconds = 0;
  return {
    run<T>(work: () => T): T {
      const start = performance.now();
      const result = work();
      milliseconds += performance.now() - start;
      return result;
    },
    milliseconds: () => milliseconds,
  };
}

/** Runs a recording. `beam` is only noted, 0 for the greedy path. */
export function runRecording(
  subject: Subject,
  about: { readonly path: string; readonly said: string; readonly beam: number },
  recording: TestRecording,
): Outcome {
  const { halves, fingerprint } = subject;
  const [device, cloud] = [stopwatch(), stopwatch()];
  const plain = subject.uncut(recording.sampleRate);
  const stream = halves?.encode(recording.sampleRate);
  for (const block of recording.blocks()) {
    device.run(() => stream?.push(block));
    plain.push(block);
  }
  const whole = device.run(() => stream?.finish());
  const heardUncut = plain.finish();
  const common = { ...about, fingerprint, seconds: recording.seconds, heardUncut };
  if (halves === null || whole === undefined) {
    return { ...common, deviceMilliseconds: 0, cloudMilliseconds: 0, heard: [], bytes: [], indices: [] };
  }
  const codebooks = codebooksOf(subject);
  const streams = Array.from({ length: codebooks }, (_, k) => halves.truncate(whole, k + 1));
  const heard = cloud.run(() => streams.map((bytes) => halves.decode(bytes)));
  return {
    ...common,
    deviceMilliseconds: device.milliseconds(),
    cloudMilliseconds: cloud.milliseconds() / codebooks,
    heard,
    bytes: streams.map((bytes) => bytes.length),
    indices: halves.indices(whole),
  };
}

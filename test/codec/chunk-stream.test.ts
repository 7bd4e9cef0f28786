/** The step stream of a network in chunks, with a network that does nothing: what is refused, and what comes out then. */
import t from 'tap';
import { LogMel } from '../../src/audio/index.js';
import { ChunkStream } from '../../src/codec/chunk-stream.js';
import { recognizerOf } from '../../src/codec/config.js';
import { FrameTiming } from '../../src/codec/frame-timing.js';
import { openModel } from '../../src/codec/index.js';
import { UsageError, zeros } from '../../src/tensor/index.js';
import { liveModelFile } from '../support/live.js';

const { codec } = await openModel(liveModelFile);

t.test('a recording that is too long can still be ended with what came before', async (t) => {
  // So many vectors a second that a stream of the most that are allowed lasts two seconds.
  const timing: FrameTiming = Object.assign(Object.create(new FrameTiming(codec)), {
    vectorsPerSecond: 2 ** 23,
  });
  const chunks = {
    steps: 8,
    stride: 4,
    context: 1,
    memory: () => [],
    forward: ({ shape }: { shape: readonly number[] }, context: number) =>
      zeros([1, Math.ceil(shape[1]! / 4) - context, 96]),
  };
  for (const rate of [8000, 16_000]) {
    let steps = 0;
    const network = { logMel: new LogMel(recognizerOf(codec).frontEnd), statistics: null, chunks };
    const stream = new ChunkStream(network, timing, rate, (x) => {
      steps += x.shape[0]!;
    });
    stream.push(new Float32Array(rate));
    t.throws(() => stream.push(new Float32Array(2 * rate)), UsageError);
    stream.finish();
    t.ok(Math.abs(stream.samples - 8000) < 20, `${stream.samples} samples at the model's rate`);
    t.equal(steps, timing.frames(stream.samples));
  }
});

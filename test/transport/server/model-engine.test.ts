/** The engine with a codec model: files in turns come out as they do at once. */
import t from 'tap';
import { createEngine } from '../../../src/transport/server/model-engine.js';
import { loadCommands, modelFile, readSamples } from '../../support/commands.js';

const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

t.test('files of several windows, between whose passes others run', async (t) => {
  const model = await loadCommands();
  const [encoder, decoder] = [await model.deviceEncoder(), await model.cloudDecoder()];
  const samples = readSamples().filter(({ sampleRate }) => sampleRate === 8000);
  // Each sample again and again, for a minute or so: no two passes see the same.
  const streams = samples.slice(0, 3).map((sample) => {
    const times = Math.ceil((60 * 8000) / sample.samples.length);
    const long = new Float32Array(times * sample.samples.length);
    for (let n = 0; n < times; n++) long.set(sample.samples, n * sample.samples.length);
    return encoder.encode(long, 8000);
  });
  t.ok(streams.length >= 2);
  const engine = await createEngine({ model: modelFile });
  let turns = 0;
  const turn = async (): Promise<void> => {
    turns++;
    await nextTurn();
  };
  const decoded = await Promise.all(
    streams.map((stream) => engine.decode(stream, { mostSeconds: 3600 }, turn)),
  );
  t.ok(turns >= 4 * streams.length, `${turns} turns`);
  for (const [i, stream] of streams.entries()) t.same(decoded[i], decoder.decode(stream));
  t.ok(new Set(decoded.map((result) => JSON.stringify(result))).size === streams.length);
});

t.test('a turn that throws ends a file', async (t) => {
  const engine = await createEngine({ model: modelFile });
  const encoder = await (await loadCommands()).deviceEncoder();
  const stream = encoder.encode(new Float32Array(40 * 8000).fill(0.001), 8000);
  const late = new Error('too late');
  await t.rejects(
    engine.decode(stream, { mostSeconds: 3600 }, async () => {
      throw late;
    }),
    late,
  );
});

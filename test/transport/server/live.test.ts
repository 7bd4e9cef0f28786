/** The server with the shipped live model: what a client hears is what the library decodes. */
import t from 'tap';
import { loadCodecModel, loadDeviceEncoder } from '../../../src/codec/index.js';
import { crcText } from '../../../src/codec/model-file.js';
import { MODEL_ENGINE, startServer } from '../../../src/transport/server/index.js';
import { modelFile, readSamples, type Sample } from '../../support/commands.js';
import { liveModelFile } from '../../support/live.js';
import { END, LiveClient, post } from '../../support/server.js';

t.test('streams at once, one of them cut short, one damaged', async (t) => {
  const server = await startServer({
    engine: { module: MODEL_ENGINE, options: { model: liveModelFile } },
    port: 0,
    workers: 1,
    logLevel: 'silent',
  });
  t.teardown(() => server.close());
  t.equal(((await (await fetch(`${server.address}/v1/model`)).json()) as { live: boolean }).live, true);
  const model = await loadCodecModel(liveModelFile);
  const [encoder, decoder] = [await model.deviceEncoder(), await model.cloudDecoder()];
  const samples = readSamples();
  const clients = await Promise.all(
    samples.map(async ({ samples: sound, sampleRate }, n) => {
      const live = encoder.live(sampleRate, { codebooks: 1 + (n % 4), packetVectors: 1 + (n % 3) });
      const packets = [...live.push(sound), ...live.finish()];
      const client = await LiveClient.connect(server.address);
      client.send(live.opening);
      const isCut = n === 1;
      const sent = isCut ? packets.slice(0, 4) : packets;
      const isBad = n === 2;
      for (const [i, packet] of sent.entries()) {
        client.send(isBad && i === 3 ? packet.map((byte) => byte ^ 1) : packet);
        await new Promise((done) => setTimeout(done, 5));
      }
      if (isCut) client.send(END);
      const stream = decoder.live().open(live.opening);
      const words = sent.flatMap((packet) => stream.receive(packet).words);
      words.push(...stream.finish().words);
      return { client, words, isBad };
    }),
  );
  for (const { client, words, isBad } of clients) {
    if (isBad) {
      t.same(await client.closed, { code: 1007, reason: 'ACOM_CORRUPT' });
      continue;
    }
    t.match(await client.last(), {
      type: 'final',
      words,
      text: words.map(({ word }) => word).join(' '),
      lost: 0,
    });
    t.equal((await client.closed).code, 1000);
  }
});

t.test('files of several models, each by its own', async (t) => {
  const server = await startServer({
    engine: { module: MODEL_ENGINE, options: { model: liveModelFile, others: [modelFile] } },
    port: 0,
    workers: 1,
    logLevel: 'silent',
    deviceHalf: async () => (await (await loadCodecModel(liveModelFile)).split()).device,
  });
  t.teardown(() => server.close());
  const half = await fetch(`${server.address}/v1/model/device.safetensors`);
  const device = await loadDeviceEncoder(new Uint8Array(await half.arrayBuffer()));
  t.equal(crcText(device.coder.fingerprint), server.model.fingerprint);
  t.match(server.model, { name: 'commands-live', others: [{ name: 'commands', task: 'recognition' }] });
  const [{ samples, sampleRate }] = readSamples() as [Sample];
  for (const file of [liveModelFile, modelFile]) {
    const model = await loadCodecModel(file);
    const bytes = (await model.deviceEncoder()).encode(samples, sampleRate).slice();
    const { text } = (await model.cloudDecoder()).decode(bytes);
    t.match(await post(server.address, bytes), { status: 200, body: { text } });
  }
  const foreign = await post(server.address, Uint8Array.of(0xac, 0x32, 1, 2, 3, 4, 0, 9, 0, 0));
  t.match(foreign, { status: 422, body: { error: { code: /^ACOM_(CORRUPT|MODEL_MISMATCH)$/ } } });
});

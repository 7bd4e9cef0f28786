/** The device half inside an AudioWorklet, where there is neither a timer nor a network: the packets of Node. */
import t from 'tap';
import { loadCodecModel } from '../../src/codec/index.js';
import { bundleForPage, noChromium, onPage } from '../support/chromium.js';
import { readSamples, type Sample } from '../support/commands.js';
import { liveModelFile } from '../support/live.js';

const PROCESSOR = `
import { loadDeviceEncoder } from './dist/src/index.js';
registerProcessor('acom', class extends AudioWorkletProcessor {
  constructor({ processorOptions: { model } }) {
    super();
    loadDeviceEncoder(model).then((encoder) => {
      this.live = encoder.live(sampleRate, { packetVectors: 1 });
      this.port.postMessage({ opening: this.live.opening });
    }, (error) => this.port.postMessage({ error: String(error && error.stack) }));
  }
  process([[samples]]) {
    if (samples) for (const packet of this.live.push(samples)) this.port.postMessage({ packet });
    return true;
  }
});`;

const PAGE = `
window.run = async (samples, sampleRate) => {
  const model = new Uint8Array(await (await fetch('model')).arrayBuffer());
  const context = new OfflineAudioContext(1, samples.length, sampleRate);
  const code = new Blob([await (await fetch('processor.js')).text()], { type: 'text/javascript' });
  await context.audioWorklet.addModule(URL.createObjectURL(code));
  const node = new AudioWorkletNode(context, 'acom', { processorOptions: { model } });
  const messages = [];
  await new Promise((done, failed) => {
    node.port.onmessage = ({ data }) => {
      if (data.error) failed(new Error(data.error));
      messages.push([...(data.opening ?? data.packet)]);
      done();
    };
    node.onprocessorerror = () => failed(new Error('the processor failed'));
  });
  const buffer = new AudioBuffer({ length: samples.length, sampleRate });
  buffer.copyToChannel(Float32Array.from(samples), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  await context.startRendering();
  await new Promise((done) => setTimeout(done, 200));
  return messages;
};`;

t.test('rendered block by block', { skip: noChromium }, async (t) => {
  const sample = readSamples().find(({ sampleRate }) => sampleRate === 16_000) as Sample;
  // Whole blocks of 128 samples
  const samples = sample.samples.subarray(0, sample.samples.length - (sample.samples.length % 128));
  const model = await loadCodecModel(liveModelFile);
  const { device } = await model.split();
  const processor = await bundleForPage(PROCESSOR);
  const found = await onPage(
    PAGE,
    { model: device, 'processor.js': new TextEncoder().encode(processor) },
    async (page) => {
      await page.addScriptTag({ url: 'script.js' });
      return page.evaluate(
        ([heard, rate]) =>
          (globalThis as unknown as { run(x: readonly number[], rate: number): Promise<number[][]> }).run(
            heard,
            rate,
          ),
        [[...samples], sample.sampleRate] as const,
      );
    },
  );
  const live = (await model.deviceEncoder()).live(sample.sampleRate, { packetVectors: 1 });
  const right = [live.opening, ...live.push(samples)];
  t.same(
    found,
    right.map((bytes) => [...bytes]),
  );
  t.ok(right.length > 10);
});

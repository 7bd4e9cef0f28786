/**
 * npm run bench:entropy -- [--data FOLDER]: bits of the codewords that the shipped models send, by every coding and by general
 * compressors; what silence costs; and how fast the coders are, beside npm's. FOLDER has the recordings that training held out
 * (../shared/data); without it there are no streams, only speed and silence.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { contextTablesOf, loadCodecModel, openModel } from '../../src/codec/index.js';
import { Context } from '../../src/entropy/index.js';
import { shared } from '../../test/support/shared.js';
import { describeMachine, thisMachine } from '../report.js';
import { modelPath, speech } from '../shipped.js';
import { readHeldOut } from './held-out.js';
import { silenceLines } from './silence.js';
import { speedLines } from './speed.js';
import { streamLines } from './streams.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: shared('data') },
    seconds: { type: 'string', default: '10,60,240' },
  },
});
const say = (lines: readonly string[]): void => console.log(lines.join('\n'));

say([describeMachine(thisMachine()), '']);
const bytes = new Uint8Array(readFileSync(modelPath));
const encoder = await (await loadCodecModel(bytes)).deviceEncoder();
if (existsSync(values.data)) {
  const held = await readHeldOut(values.data);
  for (const each of held) {
    const ends = [1, each.coder.config.quantizer.defaultCodebooks, each.codebooks / each.coder.groups];
    for (const seconds of values.seconds.split(',').map(Number)) {
      const sent = each.sent(seconds);
      if (sent.length === 0) continue;
      for (const codebooks of new Set(ends)) say(streamLines(each, sent, codebooks * each.coder.groups));
    }
  }
} else {
  say([`no recordings at ${values.data}: no streams are compared`, '']);
}
say(silenceLines(encoder));

const open = await openModel(bytes);
const { codebooks, codewords } = open.codec.quantizer;
const tables = contextTablesOf(await open.tensors('shared'), codebooks, codewords);
if (tables === null) throw new Error('the shipped recogniser has no contexts');
const { samples, sampleRate } = speech(600);
const { data } = encoder.quantize(samples, sampleRate, { codebooks: 2 });
const indices = Int32Array.from({ length: 400_000 }, (_, i) => data[i % data.length]!);
say(speedLines({ model: new Context(tables), indices, stages: 2 }));

/**
 * npm run bench:live -- [--data FOLDER] [--model FILE]: the live model from sound to answer: how long it takes over slow links, what
 * is on the wire by transport, what lost packets cost, and what the device has to compute. FOLDER has the recordings that
 * training held out (../shared/data).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadCodecModel, macsOf } from '../../src/codec/index.js';
import { concatenate } from '../../src/tensor/index.js';
import { repository, shared } from '../../test/support/shared.js';
import { describeMachine, thisMachine } from '../report.js';
import { speech } from '../shipped.js';
import { latencyLines, runStream } from './latency.js';
import { lossLines } from './loss.js';
import { unseenSpeakers } from './recordings.js';
import { wireLines } from './wire.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: shared('data') },
    model: { type: 'string', default: join(repository, 'weights/commands-live.safetensors') },
  },
});
const say = (lines: readonly string[]): void => console.log(lines.join('\n'));

say([describeMachine(thisMachine()), '']);
const model = await loadCodecModel(readFileSync(values.model));
const [encoder, decoder] = [await model.deviceEncoder(), await model.cloudDecoder()];
const { vectorsPerSecond } = encoder.coder.timing;
const hasData = existsSync(values.data);
const bundled = { samples: speech(300).samples, words: [] };
const said = hasData ? await unseenSpeakers(values.data) : [bundled];
if (!hasData) say([`no recordings at ${values.data}: bundled speech over and over, and no word errors`, '']);

// Once for the compiler.
runStream(encoder, decoder, said.slice(0, 10), 1);
for (const packetVectors of [1, 2]) {
  const run = runStream(encoder, decoder, said, packetVectors);
  say(latencyLines(run, packetVectors / vectorsPerSecond));
  if (packetVectors > 1) continue;
  const samples = concatenate(said.map((each) => each.samples)).length;
  const macs = macsOf(model.config, samples);
  const perSecond = (count: number) => `${(count / run.seconds / 1e6).toFixed(2)} million`;
  say([
    `device: ${perSecond(macs.device)} multiply-accumulates a second of speech, ${((100 * run.deviceSeconds) / run.seconds).toFixed(2)} % of one core`,
    `cloud: ${perSecond(macs.cloud)}, ${((100 * run.cloudSeconds) / run.seconds).toFixed(2)} % of one core, one stream at a time`,
    '',
  ]);
}
for (const codebooks of [1, 2, 4]) say(wireLines(encoder, said, codebooks));
if (hasData) for (const packetVectors of [1, 2]) say(lossLines(encoder, decoder, said, packetVectors));

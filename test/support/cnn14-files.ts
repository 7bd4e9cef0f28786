/** node dist/test/support/cnn14-files.js FOLDER: writes the files of a CNN14 of the published size, 304 MB, and a recording. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWav } from '../../src/audio/index.js';
import { noise } from './commands.js';
import { madeUp, torchStateDict } from './published.js';
import { cnn14HeadShapes, cnn14Shapes, PUBLISHED_CHANNELS } from './speechbrain-shapes.js';

const folder = process.argv[2]!;
const write = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes);
write('embedding_model.ckpt', torchStateDict(madeUp(cnn14Shapes(PUBLISHED_CHANNELS))));
write('classifier.ckpt', torchStateDict(madeUp(cnn14HeadShapes('cosine', 2048))));
write('five.wav', writeWav(noise(5 * 44_100), { sampleRate: 44_100 }));

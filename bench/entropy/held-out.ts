/** Codewords that the shipped models send for speakers whom training never heard, in recordings of any length. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DeviceEncoder, loadCodecModel, type StreamCoder } from '../../src/codec/index.js';
import { concatenate } from '../../src/tensor/index.js';
import { loadMaterial } from '../../src/training/recipes/commands/material.js';
import { Utterances } from '../../src/training/recipes/commands/utterances.js';
import { CLIP_SECONDS, loadKeywords } from '../../src/training/recipes/keywords/workload.js';
import { repository } from '../../test/support/shared.js';

export interface Sent {
  /** [vectors · codebooks], all of the model's. */
  readonly indices: Int32Array;
  readonly samples: number;
}

export interface HeldOut {
  readonly name: string;
  readonly coder: StreamCoder;
  readonly codebooks: number;
  /** Recordings of at least so many seconds, made of whole utterances or clips. */
  sent(seconds: number): Sent[];
}

async function encoderOf(name: string): Promise<DeviceEncoder> {
  const model = await loadCodecModel(
    new Uint8Array(readFileSync(join(repository, `weights/${name}.safetensors`))),
  );
  return model.deviceEncoder();
}

/** Pieces in a row until each has the seconds that are asked for; a rest that has not is left out. */
function inRows(pieces: readonly Float32Array[], least: number): Float32Array[] {
  const rows: Float32Array[] = [];
  let row: Float32Array[] = [];
  for (const piece of pieces) {
    row.push(piece);
    if (row.reduce((sum, { length }) => sum + length, 0) < least) continue;
    rows.push(concatenate(row));
    row = [];
  }
  return rows;
}

const heldOut = (name: string, encoder: DeviceEncoder, pieces: readonly Float32Array[]): HeldOut => {
  const { codebooks, groups = 1 } = encoder.config.quantizer;
  const rate = encoder.config.frontEnd.sampleRate;
  return {
    name,
    coder: encoder.coder,
    codebooks: codebooks * groups,
    sent: (seconds) =>
      inRows(pieces, seconds * rate).map((samples) => ({
        indices: encoder.quantize(samples, rate, { codebooks }).data,
        samples: samples.length,
      })),
  };
};

/** The recogniser's unseen speakers in utterances of one to four words, and those of the keywords. */
export async function readHeldOut(data: string): Promise<HeldOut[]> {
  const material = await loadMaterial(data, null);
  const utterances = new Utterances(material, { crowd: 0.5, digits: 0.5, voices: 0 });
  const spoken = utterances.test(material.test.unseen, 2);
  const keywords = await loadKeywords(data, null);
  const encoder = await encoderOf('keywords');
  const clip = CLIP_SECONDS * encoder.config.frontEnd.sampleRate;
  const clips = keywords.test.map((each) => {
    const filled = new Float32Array(clip);
    filled.set(each.samples().subarray(0, clip));
    return filled;
  });
  return [
    heldOut(
      'spoken commands, unseen speakers',
      await encoderOf('commands'),
      spoken.map(({ samples }) => samples),
    ),
    heldOut('keywords, unseen speakers', encoder, clips),
  ];
}

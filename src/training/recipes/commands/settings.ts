/** The recogniser of spoken commands: what it hears, what it is made of, what it is trained on. */
import type { FrontEndConfig } from '../../../audio/log-mel.js';
import type { ConformerCtcConfig } from '../../../nn/index.js';
import { DIGIT_WORDS, type SpeakerSplit } from '../../data/index.js';

export const COMMANDS = [
  ...DIGIT_WORDS,
  ...(['yes', 'no', 'up', 'down', 'left', 'right', 'on', 'off', 'stop', 'go'] as const),
] as const;

/** Class 0 is the CTC blank. */
export const LABELS: readonly string[] = ['<blank>', ...COMMANDS];

export const FRONT_END: FrontEndConfig = {
  sampleRate: 8000,
  fftSize: 256,
  windowSamples: 200,
  hopSamples: 80,
  mels: 40,
  minHertz: 0,
  maxHertz: 4000,
  spectrum: 'power',
  compression: 'decibel',
  topDecibels: 80,
};

export const NETWORK: ConformerCtcConfig = {
  type: 'speechbrain-conformer-ctc',
  frontEnd: { mels: FRONT_END.mels, channels: [32, 16], kernelSizes: [3, 3], strides: [2, 2] },
  encoder: { width: 96, heads: 4, layers: 4, feedForward: 256, depthwiseTaps: 15 },
  classes: LABELS.length,
  head: '2',
};

/**
 * The same for streams that go on: no feature waits for the largest of a recording, and the network runs in chunks of as many
 * frames as share a vector, 0.32 s, each of which knows three before it.
 */
export const LIVE_FRONT_END: FrontEndConfig = { ...FRONT_END, topDecibels: null };

export const LIVE_NETWORK: ConformerCtcConfig = {
  ...NETWORK,
  encoder: { ...NETWORK.encoder, chunks: { frames: 8, past: 24 } },
};

/**
 * Speakers of Speech Commands by part. Those of the Free Spoken Digit Dataset are too few to hold out: its official test
 * recordings are the test set of known speakers.
 */
export const SPEAKERS: SpeakerSplit = {
  shares: { train: 0.75, validation: 0.1, test: 0.15 },
  salt: 'commands',
};

/** Speakers that training never hears, and recordings of known ones that it does not. */
export const GROUPS = ['unseen', 'known'] as const;

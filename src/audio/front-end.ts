/** What stands before a network, of either kind. */
import { checkFrontEnd, type FrontEndConfig, frameCount } from './log-mel.js';
import { checkMfcc, type MfccConfig, mfccFrameCount } from './mfcc.js';

export type AnyFrontEnd = FrontEndConfig | MfccConfig;

export const isMfcc = (config: AnyFrontEnd): config is MfccConfig => 'type' in config;

/** Throws UsageError where a configuration makes no sense; it bounds every size. */
export const checkAnyFrontEnd = (config: AnyFrontEnd): void =>
  isMfcc(config) ? checkMfcc(config) : checkFrontEnd(config);

/** Frames of `samples` samples. */
export const frontEndFrames = (config: AnyFrontEnd, samples: number): number =>
  isMfcc(config) ? mfccFrameCount(config, samples) : frameCount(config, samples);

/** Features of a frame. */
export const frontEndFeatures = (config: AnyFrontEnd): number =>
  isMfcc(config) ? config.coefficients : config.mels;

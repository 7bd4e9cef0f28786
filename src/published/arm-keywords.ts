/** ARM's keyword networks ("Hello Edge"), from a description in JSON and a file of floats beside it. */

import { type NetworkModelConfig, writeModel } from '../codec/index.js';
import { parameterShapes } from '../nn/index.js';
import { readArmKeywordNetwork } from './arm-network.js';
import { floats, type ImportedNetwork } from './network.js';
import { requireMatch } from './report.js';

export interface KeywordImportOptions {
  readonly name?: string;
}

/** Imports a network; throws as `readArmKeywordNetwork` does. */
export async function importArmKeywords(
  json: string,
  bin: Uint8Array,
  { name = 'arm-keywords' }: KeywordImportOptions = {},
): Promise<ImportedNetwork> {
  const { config: network, frontEnd, labels, licence, source, tensors } = readArmKeywordNetwork(json, bin);
  const samples = frontEnd.windowSamples + (network.frames - 1) * frontEnd.hopSamples;
  const config: NetworkModelConfig = {
    name,
    task: 'classification',
    labels,
    frontEnd,
    normalization: 'none',
    clipSeconds: samples / frontEnd.sampleRate,
    network,
    licence,
    trainingData: [`Google Speech Commands, by ARM: ${source}`],
  };
  const report = requireMatch(name, tensors, await parameterShapes(network), () => false);
  const data = new Map([...tensors].map(([tensor, x]) => [tensor, floats(tensor, x)]));
  return { config, model: writeModel(config, data), report, notes: [] };
}

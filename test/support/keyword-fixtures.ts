/** Two tiny keyword networks with what they give by float64 formulas in numpy (test/fixtures/keyword-cnn/make.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArmKeywordNetwork, readArmKeywordNetwork } from '../../src/published/index.js';
import { repository } from './shared.js';

export const KEYWORD_FIXTURES = ['plain', 'separable'] as const;

export interface ExpectedMap {
  readonly shape: readonly [number, number, number];
  readonly values: readonly number[];
  readonly macs: number;
}

export interface Expected {
  readonly samples: readonly number[];
  readonly features: readonly number[];
  readonly maps: readonly ExpectedMap[];
  readonly headMacs: number;
  readonly logProbabilities: readonly number[];
}

export interface KeywordFixture {
  readonly json: string;
  readonly bin: Uint8Array;
  readonly network: ArmKeywordNetwork;
  readonly expected: Expected;
}

export function keywordFixture(name: (typeof KEYWORD_FIXTURES)[number]): KeywordFixture {
  const path = join(repository, 'test/fixtures/keyword-cnn', name);
  const json = readFileSync(`${path}.json`, 'utf8');
  const bin = readFileSync(`${path}.bin`);
  const { expected } = JSON.parse(json) as { readonly expected: Expected };
  return { json, bin, network: readArmKeywordNetwork(json, bin), expected };
}

/** Splits that depend on names alone: whatever is added or put in another order, a speaker stays where they are. */
import { createHash } from 'node:crypto';
import { UsageError } from '../../tensor/index.js';
import type { Clip } from './dataset.js';

export type SplitName = 'train' | 'validation' | 'test';

/** Parts of all speakers, by what they are for; they need not sum to 1. */
export type SplitShares = Readonly<Partial<Record<SplitName, number>>>;

export interface SpeakerSplit {
  readonly shares: SplitShares;
  /** Another text gives another split. Default ''. */
  readonly salt?: string;
  /** Speakers whose part does not depend on chance: with six of them shares mean little. */
  readonly fixed?: Readonly<Record<string, SplitName>>;
}

const NAMES: readonly SplitName[] = ['train', 'validation', 'test'];

/** A number in [0, 1) from a text: the first 48 bits of its SHA-1. */
function uniformOf(text: string): number {
  return createHash('sha1').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** The part that a name belongs to, with a probability of each share. */
export function splitOf(name: string, { shares, salt = '', fixed = {} }: SpeakerSplit): SplitName {
  const given = NAMES.map((each) => shares[each] ?? 0);
  const sum = given.reduce((a, b) => a + b, 0);
  if (!(sum > 0 && sum < Infinity && given.every((share) => share >= 0))) {
    throw new UsageError(
      `splitOf: shares ${JSON.stringify(shares)} make no sense; one must be more than 0, none less`,
    );
  }
  if (Object.hasOwn(fixed, name)) return fixed[name]!;
  let left = uniformOf(`${salt}\0${name}`) * sum;
  for (const [i, each] of NAMES.entries()) {
    left -= given[i]!;
    if (left < 0) return each;
  }
  return NAMES.filter((_, i) => given[i]! > 0).at(-1)!;
}

/** Clips by part. All of a speaker are in one part; where nobody speaks, a clip's path decides. */
export function splitBySpeaker(clips: readonly Clip[], split: SpeakerSplit): Record<SplitName, Clip[]> {
  const parts: Record<SplitName, Clip[]> = { train: [], validation: [], test: [] };
  for (const clip of clips) parts[splitOf(clip.speaker ?? clip.path, split)].push(clip);
  return parts;
}

/** Clips of folds `held` apart from all others. Throws UsageError where a clip has no fold. */
export function splitByFold(
  clips: readonly Clip[],
  held: readonly number[],
): { readonly held: Clip[]; readonly others: Clip[] } {
  const without = clips.find(({ fold }) => fold === undefined);
  if (without !== undefined)
    throw new UsageError(`splitByFold: ${without.path} is in no fold; split by speaker`);
  return {
    held: clips.filter(({ fold }) => held.includes(fold!)),
    others: clips.filter(({ fold }) => !held.includes(fold!)),
  };
}

/** The first clip of those with the same samples; clips whose SHA-1 is not known are all kept. */
export function withoutDuplicates(clips: readonly Clip[]): Clip[] {
  const seen = new Set<string>();
  return clips.filter(({ sha1 }) => {
    if (sha1 === undefined) return true;
    if (seen.has(sha1)) return false;
    seen.add(sha1);
    return true;
  });
}

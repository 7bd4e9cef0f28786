/** Recordings of the commands by what they are for. */
import { UsageError } from '../../../tensor/index.js';
import {
  type Clip,
  type LoadedClips,
  loadClips,
  readDataset,
  splitOf,
  withoutDuplicates,
} from '../../data/index.js';
import { findDatasets } from '../datasets.js';
import { COMMANDS, FRONT_END, SPEAKERS } from './settings.js';

/** Where a recording of one word comes from: training draws as often from each of these as it is told to. */
export type Source = 'crowd' | 'digits' | 'voices';

/** One word by one speaker; `clip` is its number among the loaded ones. */
export interface Take {
  readonly clip: number;
  /** Class of the word. */
  readonly label: number;
  readonly source: Source;
}

export interface Material {
  readonly loaded: LoadedClips;
  readonly training: readonly Take[];
  /** Speakers that training does not hear, and recordings of known ones that it does not. */
  readonly validation: { readonly unseen: readonly Take[]; readonly known: readonly Take[] };
  readonly test: { readonly unseen: readonly Take[]; readonly known: readonly Take[] };
  /** Recordings without speech, by number. */
  readonly noises: readonly number[];
}

const DATASETS = {
  digits: ['fsdd-8k', 'free-spoken-digit-dataset'],
  crowd: ['digits-sc-16k', 'kws-sc-16k', 'speech_commands_v0.02'],
} as const;

/** Part of the training recordings of known speakers that validation holds out. */
const KNOWN_SHARES = { train: 0.93, validation: 0.07 };

const SILENCE = '_silence_';

const labelOf = ({ words }: Clip): number | null => {
  const at = words.length === 1 ? COMMANDS.indexOf(words[0] as (typeof COMMANDS)[number]) : -1;
  return at < 0 ? null : at + 1;
};

/**
 * Reads what is there of the datasets below `folder`, and the synthetic ones of folder `voices`. Throws UsageError
 * where a dataset that the recipe cannot do without is missing.
 */
export async function loadMaterial(folder: string, voices: string | null): Promise<Material> {
  const digits = await findDatasets(folder, DATASETS.digits);
  const crowd = await findDatasets(folder, DATASETS.crowd);
  if (digits.length === 0 || crowd.length === 0) {
    throw new UsageError(
      `commands: ${folder} must hold one of ${DATASETS.digits.join(', ')} and one of ${DATASETS.crowd.join(', ')}`,
    );
  }
  const sources = new Map<string, Source>([
    ...digits.flatMap(({ clips }) => clips.map(({ file }) => [file, 'digits'] as const)),
    ...crowd.flatMap(({ clips }) => clips.map(({ file }) => [file, 'crowd'] as const)),
  ]);
  const all = [...digits, ...crowd, ...(voices === null ? [] : [await readDataset(voices)])];
  // The crowd's digits are published twice: by themselves, and among the words that are no keywords.
  const unique = new Set(withoutDuplicates(all.flatMap(({ clips }) => clips)));
  const sets = all.map((set) => ({ ...set, clips: set.clips.filter((clip) => unique.has(clip)) }));
  const loaded = await loadClips(sets, { sampleRate: FRONT_END.sampleRate });
  const parts = { training: [] as Take[], validation: emptyPart(), test: emptyPart() };
  const noises: number[] = [];
  loaded.clips.forEach((clip, number) => {
    const source = sources.get(clip.file) ?? 'voices';
    if (clip.label === SILENCE) noises.push(number);
    const label = labelOf(clip);
    if (label === null) return;
    const take = { clip: number, label, source };
    if (source === 'voices') parts.training.push(take);
    else if (source === 'digits') {
      if (clip.split === 'test') parts.test.known.push(take);
      else if (splitOf(clip.path, { shares: KNOWN_SHARES, salt: 'known' }) === 'train')
        parts.training.push(take);
      else parts.validation.known.push(take);
    } else {
      const part = splitOf(clip.speaker ?? clip.path, SPEAKERS);
      (part === 'train' ? parts.training : parts[part].unseen).push(take);
    }
  });
  return { loaded, noises, ...parts };
}

const emptyPart = () => ({ unseen: [] as Take[], known: [] as Take[] });

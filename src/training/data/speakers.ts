/** Voices of the speech synthesisers espeak-ng and flite, and how they are varied. */
import { choose, integer, type Random, uniform } from '../augmentation/index.js';
import { type Program, runProgram } from './programs.js';

const PURPOSE = 'Making synthetic voices';

export const ESPEAK: Program = {
  name: 'espeak-ng',
  purpose: PURPOSE,
  install: 'apt-get install espeak-ng (Debian, Ubuntu), brew install espeak-ng (macOS)',
};

export const FLITE: Program = {
  name: 'flite',
  purpose: PURPOSE,
  install: 'apt-get install flite (Debian, Ubuntu), or leave it out: engines: ["espeak-ng"]',
};

export type Engine = 'espeak-ng' | 'flite';

/** Somebody who speaks. */
export interface Speaker {
  readonly engine: Engine;
  /** Of espeak-ng a variant (which vocal tract), of flite a voice. */
  readonly voice: string;
}

/** Voices that stay out of training: the test set of synthetic voices is spoken by them. */
export const HELD_OUT_VOICES: readonly string[] = ['m7', 'f4', 'linda', 'belinda'];

/** Variants of espeak-ng that are no people, or no other people. */
const NO_PEOPLE =
  /^(robosoft\d*|UniRobot|anikaRobot|Demonic|announcer|fast|kaukovalta|klatt\d*|whisperf?|croak|Tweaky)$/i;

const ACCENTS = [
  'en-us',
  'en-us',
  'en-gb',
  'en-gb-x-rp',
  'en-gb-scotland',
  'en-gb-x-gbclan',
  'en-gb-x-gbcwmd',
  'en-029',
  'en-us-nyc',
] as const;

const FLITE_VOICES = ['awb', 'kal', 'rms', 'slt'] as const;

/** The sentence that a word is: its melody depends on the mark behind it. */
const MARKS = ['', '', '!', '?', ','] as const;

/** Voices that this machine has, in the order of their names. */
export async function listSpeakers(engines: readonly Engine[], signal?: AbortSignal): Promise<Speaker[]> {
  const speakers: Speaker[] = [];
  if (engines.includes('espeak-ng')) {
    const table = await runProgram(ESPEAK, ['--voices=variant'], { signal });
    // Names of files may have spaces, and begin at the same column as their heading.
    const [heading = '', ...lines] = table.split('\n');
    const column = heading.indexOf('File');
    const variants = lines.flatMap((line) => /^!v\/(.+?)\s*(\(.*)?$/.exec(line.slice(column))?.[1] ?? []);
    for (const voice of [...new Set(variants)].sort()) {
      if (!HELD_OUT_VOICES.includes(voice.toLowerCase()) && !NO_PEOPLE.test(voice)) {
        speakers.push({ engine: 'espeak-ng', voice });
      }
    }
  }
  if (engines.includes('flite')) {
    const voices = (await runProgram(FLITE, ['-lv'], { signal })).replace(/^.*:/, '').split(/\s+/);
    for (const voice of FLITE_VOICES) if (voices.includes(voice)) speakers.push({ engine: 'flite', voice });
  }
  return speakers;
}

/** One way of saying a word. */
export interface Take {
  readonly program: Program;
  /** Arguments that write the word as a WAV file. */
  readonly arguments: (file: string) => string[];
  /** For people: accent, pitch, speed. */
  readonly about: string;
}

/** Pitches that flite's voices are about, in hertz. */
const FLITE_HERTZ: Readonly<Record<string, number>> = { awb: 120, kal: 105, rms: 100, slt: 170 };

/** Draws how a speaker says a word this time. */
export function drawTake({ engine, voice }: Speaker, word: string, random: Random): Take {
  const text = word + choose(random, MARKS);
  if (engine === 'flite') {
    const stretch = uniform(random, [0.8, 1.35]).toFixed(2);
    const hertz = Math.round(FLITE_HERTZ[voice]! * uniform(random, [0.8, 1.25]));
    const settings = [`duration_stretch=${stretch}`, `int_f0_target_mean=${hertz}`];
    return {
      program: FLITE,
      arguments: (file) => [
        '-voice',
        voice,
        ...settings.flatMap((each) => ['--setf', each]),
        '-t',
        text,
        '-o',
        file,
      ],
      about: settings.join(' '),
    };
  }
  const accent = choose(random, ACCENTS);
  const pitch = integer(random, [25, 80]);
  const speed = integer(random, [115, 220]);
  return {
    program: ESPEAK,
    arguments: (file) => ['-v', `${accent}+${voice}`, '-p', `${pitch}`, '-s', `${speed}`, '-w', file, text],
    about: `${accent} pitch=${pitch} speed=${speed}`,
  };
}

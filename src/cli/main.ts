#!/usr/bin/env node
/** The command `acom`: arguments and help of every command. What each does is in the file of its name. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { UsageError } from '../tensor/index.js';
import { classify } from './classify.js';
import { decode } from './decode.js';
import { demo } from './demo.js';
import { encode } from './encode.js';
import { evaluate } from './eval.js';
import { fitModel } from './fit.js';
import { importCnn14, importConformer, importEncoder, importKeywords } from './import.js';
import { info } from './info.js';
import { version } from './model.js';
import { packModel, splitModel } from './model-files.js';
import { complain, EXIT, type ExitCode, setDebug, watchStandardOutput } from './run.js';
import { transcribe } from './transcribe.js';
import { inspectWeights } from './weights.js';

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

function layerNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return Number(text);
}

/** "1s", "500ms", "2m" or a number of seconds. */
function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d*\.?\d+)\s*(ms|s|m)?$/.exec(text) ?? [];
  const value = Number(amount) * { ms: 0.001, s: 1, m: 60 }[unit as 'ms' | 's' | 'm'];
  if (!(value > 0)) throw new InvalidArgumentError('It must be a duration, for example 1s, 500ms or 2m.');
  return value;
}

const program = new Command('acom');
let exitCode: ExitCode = EXIT.done;

/** Runs a command's work and keeps its exit code. */
const running =
  <A extends unknown[]>(work: (...args: A) => Promise<ExitCode>) =>
  async (...args: A): Promise<void> => {
    exitCode = await work(...args);
  };

const MODEL = [
  '-m, --model <file or URL>',
  'codec model (default: $ACOM_MODEL, or the one that ships)',
] as const;
const JSON_OPTION = ['--json', 'one JSON object a line instead of text'] as const;
const BEAM = [
  '-b, --beam <width>',
  'prefix-beam search of this width instead of the greedy path',
  wholeNumber,
] as const;
const FILES = 'files, folders, patterns, or - for a pipe';

program
  .description(
    'Audio coding for machines: sound as under 200 bit/s of codewords, and what a recogniser or a classifier makes of them.',
  )
  .version(version)
  .option('--debug', 'show where an error came from')
  .hook('preAction', (command) => setDebug(command.opts()['debug'] === true))
  .showHelpAfterError('(acom --help shows the commands, acom help encode all of one)')
  .addHelpText(
    'after',
    `
Examples:
  acom encode in.wav -o out.acom         a recording to some 12 bytes a second
  acom decode out.acom                   words, times and confidences, from that file alone
  cat in.wav | acom encode - | acom decode - --json
  acom eval test/manifest.jsonl          word errors and bit rates of a test set

Exit codes: 0 done, 1 an input failed, 2 wrong arguments, 3 decoded, but parts of a stream were damaged.`,
  );

program
  .command('encode')
  .argument('<recordings...>', FILES)
  .description(
    'encode recordings (.wav .flac .ogg .oga .opus .mp3; any rate and channels) to .acom files: the device half',
  )
  .option(
    '-o, --output <path>',
    'file, - for a pipe, or a folder for several, a folder or a pattern; default: beside each recording',
  )
  .option('-k, --codebooks <k>', 'codebooks to use; each adds bits and detail', wholeNumber)
  .option(
    '-p, --packet <duration>',
    'duration of a packet: what a damaged one costs (default: 30s)',
    duration,
  )
  .option(...MODEL)
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    `
Examples:
  acom encode in.wav                     writes in.acom
  acom encode recordings/ -o streams/    every recording of a folder
  acom encode in.wav -k 2 -p 1s          two codebooks, packets of a second
  acom encode memo.mp3 -o memo.acom      MP3, Ogg and FLAC need their optional packages
  sox in.aiff -t wav - | acom encode - > out.acom`,
  )
  .action(running(encode));

program
  .command('decode')
  .argument('<streams...>', FILES)
  .description('decode .acom files to words with times and confidences, or to labels: the cloud half')
  .option('-k, --codebooks <k>', 'use only the first k codebooks of the stream', wholeNumber)
  .option(...BEAM)
  .option(...MODEL)
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    `
Times of words are those at which the recogniser was sure of them, not where they begin and end. Those of labels are
clips. Decode with the model that encoded, or with its cloud file.

Examples:
  acom decode out.acom
  acom decode out.acom -m keywords-codec.safetensors
  acom decode streams/ --json | jq .text
  acom decode out.acom --beam 16`,
  )
  .action(running(decode));

program
  .command('transcribe')
  .argument('<recordings...>', FILES)
  .description('recordings (.wav .flac .ogg .oga .opus .mp3) to words by the uncut model, for comparison')
  .option(...BEAM)
  .option(...MODEL)
  .option(...JSON_OPTION)
  .addHelpText('after', '\nExamples:\n  acom transcribe in.wav')
  .action(running(transcribe));

program
  .command('classify')
  .argument('<recordings...>', FILES)
  .description('recordings (.wav .flac .ogg .oga .opus .mp3) to labels by the uncut model, for comparison')
  .option(...MODEL)
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    `
The model is a classifier: a network that acom import made, or a codec model of one. A recording longer than its clips is
cut into clips, each of which is classified; the label is that of their mean.

Examples:
  acom classify -m keywords.safetensors in.wav
  acom classify -m keywords.safetensors clips/ --json | jq -r .label`,
  )
  .action(running(classify));

program
  .command('info')
  .argument('<files...>', FILES)
  .description('what an .acom stream, a safetensors or PyTorch file, a codec model or a recording holds')
  .option(...MODEL)
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    '\nExamples:\n  acom info out.acom in.wav model.safetensors\n  acom info recordings/ --json',
  )
  .action(running(info));

program
  .command('eval')
  .argument('<manifest>', 'lines of JSON with "path" (relative to the manifest) and "transcript" or "label"')
  .description(
    'word errors or accuracy, bit rates and costs of a test set, uncut and for every number of codebooks',
  )
  .option('-d, --details <file>', 'keep a line for each recording; an interrupted run goes on from it')
  .option('--svg <file>', 'draw the scores over the bit rates (needs the packages vega and vega-lite)')
  .option(...BEAM)
  .option(...MODEL)
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    `
A recogniser wants lines like {"path": "in.wav", "transcript": "go left"}, a classifier {"path": "in.wav", "label": "dog"}.
The model may be a network without codebooks: it is then scored as it is, and nothing is sent.

Examples:
  acom eval test/manifest.jsonl
  acom eval test/manifest.jsonl --json --details details.jsonl
  acom eval clips.jsonl -m keywords-codec.safetensors --svg curve.svg`,
  )
  .action(running(evaluate));

program
  .command('demo')
  .description('encode and decode the samples that ship')
  .option('-o, --output <folder>', 'where the .acom files go', 'acom-demo')
  .option('-k, --codebooks <k>', 'codebooks to use', wholeNumber)
  .action(running(demo));

const model = program.command('model').description('make codec models and take them apart');

model
  .command('pack')
  .argument('<network>', 'safetensors with network, codebooks and counts, as the training exports it')
  .description('make a codec model from an exported network')
  .requiredOption('-o, --output <file>', 'the codec model')
  .requiredOption('--licence <text>', 'licence of the weights')
  .requiredOption('--trained-on <text...>', 'what they were trained on, with attribution')
  .action(running(packModel));

model
  .command('split')
  .argument('[model]', 'codec model (default: $ACOM_MODEL, or the one that ships)')
  .description('split a codec model into a device file and a cloud file, each with its own tensors only')
  .requiredOption('--device <file>', 'file for the device')
  .requiredOption('--cloud <file>', 'file for the cloud')
  .addHelpText(
    'after',
    '\nExamples:\n  acom model split --device device.safetensors --cloud cloud.safetensors',
  )
  .action(running(splitModel));

const weights = program
  .command('weights')
  .description('look into checkpoints: safetensors and PyTorch files');

weights
  .command('inspect')
  .argument('<files...>', FILES)
  .description(
    'names, types, shapes and sizes of the tensors, and other data beside them; nothing in a file is run',
  )
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    `
Reads safetensors, and .pt, .pth and .ckpt files of torch.save, new and old; only their headers, of whatever size.

Examples:
  acom weights inspect asr.ckpt
  acom weights inspect results/save/ --json | jq '.tensors[].name'`,
  )
  .action(running(inspectWeights));

model
  .command('fit')
  .argument('<network>', 'a network that acom import made, or a codec model')
  .argument('<recordings...>', 'files, folders, patterns, or manifests (.jsonl)')
  .description('make a codec model of a network: fit codebooks to what goes over the cut, by k-means')
  .requiredOption('-o, --output <file>', 'the codec model')
  .requiredOption('-l, --layer <m>', 'cut after layer m; 0: before the first', layerNumber)
  .requiredOption(
    '-k, --codebooks <k>',
    'codebooks one after another, each for what the last one left',
    wholeNumber,
  )
  .requiredOption('-v, --codewords <v>', 'codewords of each codebook: log2(v) bits an index', wholeNumber)
  .option('--pooling <n>', 'average n time steps (default: 1)', wholeNumber)
  .option('--per <what>', 'one vector for each time step, or for each position in time and frequency', 'step')
  .option(
    '--groups <g>',
    'cut each vector into g parts with codebooks of their own (default: 1)',
    wholeNumber,
  )
  .option(
    '--metric <which>',
    'what k-means makes small: the plain error, or what the reader, the next layer, sees',
    'plain',
  )
  .option('--name <text>', 'name of the codec model (default: that of the network)')
  .option('--seed <n>', 'seed of the first codewords (default: 1)', wholeNumber)
  .addHelpText(
    'after',
    `
Raw bit/s = vectors a second x groups x codebooks x log2(codewords); acom info shows it for the model that comes out.
Fit on other recordings than you test on: acom eval tells nothing otherwise.

Examples:
  acom model fit keywords.safetensors train.jsonl -l 2 -k 2 -v 64 -o keywords-codec.safetensors
  acom model fit cnn14.safetensors clips/ -l 4 -k 4 -v 256 --per position -o codec.safetensors`,
  )
  .action(running(fitModel));

const importing = program
  .command('import')
  .description('make networks of published checkpoints, read without any framework');

const NETWORK = ['-o, --output <file>', 'the network'] as const;
const NAME = ['--name <text>', 'what the network is called'] as const;

importing
  .command('speechbrain-conformer')
  .argument(
    '<folder>',
    'folder or URL with asr.ckpt or model.ckpt, normalizer.ckpt, tokenizer.ckpt, hyperparams.yaml',
  )
  .description("SpeechBrain's conformer for speech recognition, with its CTC head")
  .requiredOption(...NETWORK)
  .option('--fft <samples>', 'samples of the Fourier transform, where no hyperparams.yaml says', wholeNumber)
  .option('--window <samples>', 'samples of the window, where no hyperparams.yaml says', wholeNumber)
  .option('--heads <n>', 'attention heads, with rotary positions', wholeNumber)
  .option(...NAME)
  .addHelpText(
    'after',
    `
weights/README.md says which files to download, and what accuracy their cards state.

Examples:
  acom import speechbrain-conformer asr-conformersmall/ -o conformer.safetensors
  acom transcribe -m conformer.safetensors in.flac`,
  )
  .action(running(importConformer));

importing
  .command('speechbrain-cnn14')
  .argument(
    '<folder>',
    'folder or URL with embedding_model.ckpt, classifier.ckpt, label_encoder.txt, hyperparams.yaml',
  )
  .description("SpeechBrain's CNN14 for sound classification, with either head")
  .requiredOption(...NETWORK)
  .option(
    '--front-end <which>',
    '16k (log(1 + x)) or 44k (decibels); default: by hyperparams.yaml or the head',
  )
  .option('--clip <duration>', 'longest clip that is classified at once (default: 5s)', duration)
  .option(...NAME)
  .addHelpText('after', '\nExamples:\n  acom import speechbrain-cnn14 cnn14-esc50/ -o cnn14.safetensors')
  .action(running(importCnn14));

importing
  .command('arm-keywords')
  .argument('<json>', 'description of tensors and graph; the floats are in the .bin beside it')
  .description("ARM's keyword networks (Hello Edge): CNN and DS_CNN")
  .requiredOption(...NETWORK)
  .option(...NAME)
  .addHelpText('after', '\nExamples:\n  acom import arm-keywords CNN_L.json -o keywords.safetensors')
  .action(running(importKeywords));

importing
  .command('torchaudio-conformer')
  .argument(
    '<file>',
    'state dict (.pt, .ckpt, .safetensors) of the conformer or of a model that it is a part of',
  )
  .description("torchaudio's Conformer: an encoder without a front end and a head, for programs")
  .requiredOption('-o, --output <file>', 'the encoder')
  .requiredOption('--heads <n>', 'attention heads, which the tensors do not tell', wholeNumber)
  .option('--convolution-first', 'the convolution module comes before attention')
  .option('--prefix <text>', 'what stands before conformer_layers. in the names, where there are several')
  .addHelpText(
    'after',
    '\nExamples:\n  acom import torchaudio-conformer conformer.pt -o encoder.safetensors --heads 4',
  )
  .action(running(importEncoder));

watchStandardOutput();

const throwing = (command: Command): void => {
  command.exitOverride();
  command.commands.forEach(throwing);
};
throwing(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  } else {
    complain(error);
    exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}
process.exitCode = exitCode;

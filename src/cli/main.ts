#!/usr/bin/env node
import { BACKEND, GPU_MODE } from './backend.js';
import { addBrokerCommands } from './broker-commands.js';
import { classify } from './classify.js';
/** The command `acom`: arguments and help of every command. What each does is in the file of its name. */
import { Command, CommanderError } from './commander.js';
import { decode } from './decode.js';
import { demo } from './demo.js';
import { encode } from './encode.js';
import { evaluate } from './eval.js';
import { info } from './info.js';
import { kernels } from './kernels.js';
import { version } from './model.js';
import { addModelCommands } from './model-commands.js';
import {
  BEAM,
  duration,
  FILES,
  FORCE,
  JOBS,
  JSON_OPTION,
  MODEL,
  positive,
  type Running,
  wholeNumber,
} from './options.js';
import { complain, EXIT, type ExitCode, isUsageError, setDebug, watchStandardOutput } from './run.js';
import { addServe } from './serve-command.js';
import { addTrain } from './train-command.js';
import { transcribe } from './transcribe.js';

const program = new Command('acom');
let exitCode: ExitCode = EXIT.done;

/** Runs a command's work and keeps its exit code. */
const running: Running =
  (work) =>
  async (...args) => {
    exitCode = await work(...args);
  };

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
  acom encode in.wav -o out.acom         a recording to some 6 bytes a second
  acom decode out.acom                   words, times and confidences, from that file alone
  cat in.wav | acom encode - | acom decode - --json
  acom eval test/manifest.jsonl          word errors and bit rates of a test set

Exit codes: 0 done, 1 an input failed or a kernel is wrong, 2 wrong arguments, 3 decoded, but parts of a stream were damaged.`,
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
  .option(
    '-b, --bit-rate <bits>',
    'bits a second to keep to: codebooks by packet, as many as fit (packets of 5s)',
    positive,
  )
  .option('--coding <which>', 'packed, order-0, adaptive or context (default: the best that the model has)')
  .option(...JOBS)
  .option(...FORCE)
  .option(...MODEL)
  .option(...BACKEND)
  .option(...GPU_MODE)
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    `
Examples:
  acom encode in.wav                     writes in.acom
  acom encode recordings/ -o streams/    every recording of a folder; again: those that are new or changed
  acom encode recordings/ -o streams/ -j auto    as many at a time as there are cores
  acom encode in.wav -k 2 -p 1s          two codebooks, packets of a second
  acom encode in.wav -b 60               never more than 60 bit/s, give or take a packet
  acom encode in.wav --backend gpu       layers on a GPU (acom kernels says what runs here)
  acom encode memo.mp3 -o memo.acom      MP3, Ogg and FLAC need their optional packages
  sox in.aiff -t wav - | acom encode - > out.acom`,
  )
  .action(running(encode));

program
  .command('decode')
  .argument('<streams...>', FILES)
  .description('decode .acom files to words with times and confidences, or to labels: the cloud half')
  .option(
    '-o, --output <path>',
    'a .txt file, or with --json a .json file, or a folder for several; default: standard output',
  )
  .option('-k, --codebooks <k>', 'use only the first k codebooks of the stream', wholeNumber)
  .option(...BEAM)
  .option(...JOBS)
  .option(...FORCE)
  .option(...MODEL)
  .option(...BACKEND)
  .option(...GPU_MODE)
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
  acom decode streams/ --json -o words/ -j auto    a .json file for each
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
  .command('kernels')
  .argument('[operations...]', 'operations whose names hold one of these words (default: all)')
  .description('which kernels run on this machine; with --verify, whether their numbers are right')
  .option('--verify', 'run every variant that runs here and compare with its formula in float64')
  .option(
    '--variant <name...>',
    'only these variants: reference, simd, relaxed; no GPU unless --gpu is given',
  )
  .option('--gpu <mode...>', 'only these modes of the GPU variants: webgl2, webgpu, webasm, cpu')
  .option('--no-gpu', 'no GPU variants')
  .option(...JSON_OPTION)
  .addHelpText(
    'after',
    `
The first thing to run where numbers look wrong. One line for each operation: what operations run on by themselves (auto),
and which variants there are. "runs" or a number in brackets, whose reason stands below; - where there is no such variant.
With --verify a cell is the largest error as a part of the largest result; above the tolerance it is WRONG, what
differs stands below, and the exit code is 1. It is 1 too where a variant or mode was named that does not run here.
Plain variants are called on all sizes of their tests, with offsets, gaps, NaN and infinities; GPU variants on six sizes
without the latter two, which a GPU need not keep.

Examples:
  acom kernels                           what runs here, and why the rest does not
  acom kernels --verify                  are all numbers right? (about 10 s)
  acom kernels --verify --no-gpu         without GPU variants
  acom kernels conv --verify --variant simd
  acom kernels matmul --verify --gpu webgpu
  acom kernels --json | jq 'select(.auto == "reference")'`,
  )
  .action(running(kernels));

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

addTrain(program, running);

addBrokerCommands(program, running);
addServe(program, running);

addModelCommands(program, running);

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
    exitCode = isUsageError(error) ? EXIT.usage : EXIT.failed;
  }
}
process.exitCode = exitCode;

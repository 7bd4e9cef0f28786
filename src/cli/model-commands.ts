/** Arguments and help of the commands about models: `acom model`, `acom import`, `acom weights`. */
import type { Command } from './commander.js';
import { fitModel } from './fit.js';
import { importCnn14, importConformer, importEncoder, importKeywords } from './import.js';
import { packModel, splitModel } from './model-files.js';
import { duration, FILES, JSON_OPTION, layerNumber, type Running, wholeNumber } from './options.js';
import { recode } from './recode.js';
import { inspectWeights } from './weights.js';

export function addModelCommands(program: Command, running: Running): void {
  addModel(program, running);
  addImport(program, running);
  addWeights(program, running);
}

function addModel(program: Command, running: Running): void {
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
    .option(
      '--per <what>',
      'one vector for each time step, or for each position in time and frequency',
      'step',
    )
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
  acom model fit keywords.safetensors train.jsonl -l 2 -k 2 -v 64 --pooling 2 --metric reader -o codec.safetensors
  acom model fit cnn14.safetensors clips/ -l 4 -k 4 -v 256 --per position -o codec.safetensors`,
    )
    .action(running(fitModel));

  model
    .command('recode')
    .argument('<model>', 'a codec model')
    .argument('<recordings...>', 'files, folders, patterns, or manifests (.jsonl)')
    .description(
      'learn from recordings how the codewords of a codec model are coded; all else stays as it is',
    )
    .requiredOption('-o, --output <file>', 'the codec model')
    .addHelpText(
      'after',
      `
Streams become shorter where codewords depend on those before them, which takes some thousand vectors to learn. The model that
comes out has a fingerprint of its own: streams of the old one are not its streams.

Examples:
  acom model recode codec.safetensors train.jsonl -o smaller.safetensors`,
    )
    .action(running(recode));
}

const NETWORK = ['-o, --output <file>', 'the network'] as const;
const NAME = ['--name <text>', 'what the network is called'] as const;

function addImport(program: Command, running: Running): void {
  const importing = program
    .command('import')
    .description('make networks of published checkpoints, read without any framework');

  importing
    .command('speechbrain-conformer')
    .argument(
      '<folder>',
      'folder or URL with asr.ckpt or model.ckpt, normalizer.ckpt, tokenizer.ckpt, hyperparams.yaml',
    )
    .description("SpeechBrain's conformer for speech recognition, with its CTC head")
    .requiredOption(...NETWORK)
    .option(
      '--fft <samples>',
      'samples of the Fourier transform, where no hyperparams.yaml says',
      wholeNumber,
    )
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
}

function addWeights(program: Command, running: Running): void {
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
}

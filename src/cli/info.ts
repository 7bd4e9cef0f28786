import { open } from 'node:fs/promises';
import { recordingFormat } from '../audio/index.js';
import { looksLikeStream, type Packet, readStream } from '../bitstream/index.js';
import {
  bytesSource,
  checkpointFormat,
  openSafetensors,
  type SafetensorsFile,
} from '../checkpoints/index.js';
import { isCodec, macsOf, type NetworkModelConfig, timingOf } from '../codec/index.js';
import { crcText, isModel, parseModelHeader, roleOf } from '../codec/model-file.js';
import { VectorLayout } from '../codec/vector-layout.js';
import { kindOf, type TorchaudioConformerConfig } from '../nn/index.js';
import { isEncoder, parseEncoder } from '../published/torchaudio-conformer.js';
import { summarize } from '../tensor/elementwise.js';
import { FormatError, type NdArray, sizeOf } from '../tensor/index.js';
import { RECORDINGS } from './encode.js';
import { readInput, shortPath } from './files.js';
import { openModel } from './model.js';
import { isFile, type OpenRecording, openRecording, openRecordingBytes } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, print } from './run.js';
import { bitRate, count, type Facts, large, pairs, seconds, table } from './text.js';
import { CHECKPOINTS, checkpointFacts, sourceOf } from './weights.js';

export interface InfoArguments {
  readonly model?: string;
  readonly json?: boolean;
}

async function streamFacts(bytes: Uint8Array, options: InfoArguments): Promise<Facts> {
  const model = await openModel(options.model);
  const { header } = readStream(bytes);
  const ours = header.fingerprint === model.fingerprint;
  const timing = ours ? timingOf(model.config) : null;
  const expected =
    timing && header.vectorsPerPacket > 0
      ? Math.ceil(timing.vectors(header.samples) / header.vectorsPerPacket)
      : header.vectorsPerPacket === 0
        ? 1
        : undefined;
  const { packets } = readStream(bytes, expected === undefined ? undefined : () => expected);
  const good = packets.filter((packet): packet is Packet => packet !== null);
  const payload = good.reduce((sum, { run }) => sum + run.length, 0);
  const fingerprint = crcText(header.fingerprint);
  const duration = timing?.seconds(header.samples);
  // The header counts stages, of which a codebook has one for each group.
  const codebooks = ours ? header.codebooks / (model.config.quantizer.groups ?? 1) : header.codebooks;
  const json = {
    type: 'acom stream',
    bytes: bytes.length,
    payloadBytes: payload,
    codebooks,
    coding: header.coding,
    fingerprint,
    model: ours ? model.config.name : null,
    samples: header.samples,
    seconds: duration ?? null,
    vectorsPerPacket: header.vectorsPerPacket,
    packets: expected ?? packets.length,
    goodPackets: good.length,
    bitRate: duration ? (8 * bytes.length) / duration : null,
  };
  const length = header.vectorsPerPacket === 0 ? 'all vectors' : `${header.vectorsPerPacket} vectors each`;
  const lines = pairs([
    [
      'stream',
      `acom, version 1, ${codebooks} codebook${codebooks === 1 ? '' : 's'}${header.varying ? ' at most' : ''}, coding ${header.coding}, model ${fingerprint}${ours ? ` (${model.config.name})` : ' (another than this one)'}`,
    ],
    [
      'duration',
      duration === undefined
        ? `${count(header.samples)} samples; load the model for seconds`
        : seconds(duration),
    ],
    ['size', `${count(bytes.length)} bytes, of them ${count(bytes.length - payload)} header and framing`],
    ...(duration ? [['bit rate', bitRate((8 * bytes.length) / duration)] as const] : []),
    ['packets', `${good.length} good of ${expected ?? packets.length}, ${length}`],
  ]);
  return { json, lines };
}

function modelLines(config: NetworkModelConfig): [string, string][] {
  const { frontEnd, network } = config;
  const codec = isCodec(config) ? config : null;
  const timing = timingOf(config);
  const layout = new VectorLayout(config);
  const seconds = config.clipSeconds ?? 10;
  const macs = macsOf(config, Math.round(seconds * frontEnd.sampleRate));
  const costs = (n: number) => `${large(n)} multiply-adds for ${seconds} s`;
  const cut = codec ? `, cut after layer ${layout.layer}` : '';
  const { codebooks, codewords, groups = 1 } = codec?.quantizer ?? { codebooks: 0, codewords: 1 };
  const rate = groups * timing.vectorsPerSecond * Math.log2(codewords);
  const rates =
    `${codebooks} x ${codewords} codewords${groups > 1 ? ` in ${groups} groups` : ''}, ` +
    `${round(timing.vectorsPerSecond)} vectors a second of ${layout.width} numbers: raw ${rate.toFixed(1)} bit/s a codebook`;
  return [
    [
      'task',
      `${config.task}, ${config.labels.length} classes at ${count(frontEnd.sampleRate)} samples a second`,
    ],
    ['network', `${kindOf(network).describe(network)}${cut}`],
    ...(codec ? [['quantiser', rates] as [string, string]] : []),
    ...(codec
      ? ([
          ['device', costs(macs.device)],
          ['cloud', costs(macs.cloud)],
        ] as [string, string][])
      : ([['cost', costs(macs.device + macs.cloud)]] as [string, string][])),
    ['licence', config.licence],
    ['trained on', config.trainingData.join('; ')],
  ];
}

const round = (n: number): string => String(Math.round(100 * n) / 100);

async function tensorFacts(file: SafetensorsFile, config: NetworkModelConfig | null): Promise<Facts> {
  const tensors: Record<string, unknown>[] = [];
  const rows: string[][] = [];
  for (const { name, type, shape, begin, end } of file.tensors.values()) {
    const tensor = await file.read(name);
    const isFloat = tensor.data instanceof Float32Array || tensor.data instanceof Float64Array;
    const range = isFloat && tensor.size > 0 ? summarize(tensor as NdArray<Float32Array>) : null;
    const role = config ? roleOf(name, config) : undefined;
    tensors.push({ name, type, shape, bytes: end - begin, ...(config ? { role } : {}), ...(range ?? {}) });
    const digits = (value: number | undefined) => (value === undefined ? '' : value.toPrecision(3));
    rows.push([
      `  ${name}`,
      type,
      `[${shape.join(', ')}]`,
      count(end - begin),
      ...(config ? [role ?? ''] : []),
      digits(range?.smallest),
      digits(range?.mean),
      digits(range?.largest),
    ]);
  }
  const columns = [
    { title: '  tensor', align: 'left' as const },
    { title: 'type', align: 'left' as const },
    { title: 'shape', align: 'left' as const },
    { title: 'bytes' },
    ...(config ? [{ title: 'half' }] : []),
    { title: 'smallest' },
    { title: 'mean' },
    { title: 'largest' },
  ];
  return { json: { tensors }, lines: table(columns, rows) };
}

/** What a file is that the import of torchaudio's Conformer made. */
function encoderLines(config: TorchaudioConformerConfig): [string, string][] {
  const { width, heads, layers, feedForward, depthwiseTaps, norm, convolutionFirst } = config;
  const order = convolutionFirst ? 'convolution before attention' : 'attention before convolution';
  return [
    ['encoder', "torchaudio's Conformer, frames to frames: it has no front end and no head"],
    ['network', `width ${width}, ${layers} layers, ${heads} heads, feed-forward ${feedForward}`],
    ['convolution', `kernel ${depthwiseTaps}, ${norm} norm, ${order}`],
  ];
}

async function safetensorsFacts(bytes: Uint8Array): Promise<Facts> {
  const file = await openSafetensors(bytesSource(bytes));
  const encoder = isEncoder(file) ? parseEncoder(file) : null;
  const header = isModel(file) ? parseModelHeader(file) : null;
  // A network that is not cut yet has no halves.
  const facts = await tensorFacts(file, header && isCodec(header.config) ? header.config : null);
  const numbers = [...file.tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const size = `${count(bytes.length)} bytes, ${file.tensors.size} tensors, ${count(numbers)} numbers`;
  const about: [string, string][] = header
    ? [
        isCodec(header.config)
          ? [
              'codec model',
              `${header.config.name} (${header.part}), fingerprint ${crcText(header.fingerprint)}`,
            ]
          : ['model', `${header.config.name}, a network without codebooks: fit some with acom model fit`],
        ...modelLines(header.config),
        ['size', size],
      ]
    : encoder
      ? [...encoderLines(encoder), ['size', size]]
      : [
          ['safetensors', size],
          ...[...file.metadata].map(([key, text]): [string, string] => [
            key,
            text.length > 80 ? `${text.slice(0, 80)}…` : text,
          ]),
        ];
  const json = header
    ? {
        type: isCodec(header.config) ? 'codec model' : 'network',
        part: header.part,
        fingerprint: crcText(header.fingerprint),
        config: header.config,
      }
    : encoder
      ? { type: 'encoder', config: encoder }
      : { type: 'safetensors', metadata: Object.fromEntries(file.metadata) };
  return {
    json: { ...json, bytes: bytes.length, ...facts.json },
    lines: [...pairs(about), '', ...facts.lines],
  };
}

function recordingFacts(recording: OpenRecording): Facts {
  let [peak, squares, notFinite] = [0, 0, 0];
  for (const block of recording.blocks()) {
    for (const x of block) {
      if (!Number.isFinite(x)) {
        notFinite++;
        continue;
      }
      peak = Math.max(peak, Math.abs(x));
      squares += x * x;
    }
  }
  recording.close();
  const { sampleRate, channels, samples, missingSamples } = recording;
  // The level is that of the samples that are numbers; where none is, there is no level.
  const numbers = samples - notFinite;
  const rms = Math.sqrt(squares / Math.max(1, numbers));
  const known = numbers > 0 || samples === 0;
  const decibels = (level: number) => (level > 0 ? `${(20 * Math.log10(level)).toFixed(1)} dB` : 'silence');
  const json = {
    type: 'recording',
    sampleRate,
    channels,
    samples,
    seconds: recording.seconds,
    missingSamples,
    notFinite,
    peak: known ? peak : null,
    rms: known ? rms : null,
  };
  const lines = pairs([
    [
      'recording',
      `${count(sampleRate)} samples a second, ${channels} channel${channels === 1 ? '' : 's, mixed to one'}`,
    ],
    ['duration', `${seconds(recording.seconds)}, ${count(samples)} samples`],
    [
      'level',
      known
        ? `peak ${decibels(peak)}, mean ${decibels(rms)} of full scale${notFinite > 0 ? ', of the samples that are numbers' : ''}`
        : 'unknown: no sample is a number',
    ],
    ...(missingSamples > 0
      ? [['cut short', `${count(missingSamples)} samples that the header promises are missing`] as const]
      : []),
    ...(notFinite > 0
      ? [['damaged', `${count(notFinite)} of ${count(samples)} samples are no finite numbers`] as const]
      : []),
  ]);
  return { json, lines };
}

const looksLikePyTorch = (head: Uint8Array): boolean =>
  checkpointFormat(head)?.startsWith('PyTorch') === true;

/** The first bytes of a file, without reading the rest. */
async function headOf(path: string): Promise<Uint8Array> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(32), 0, 32, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function factsOf(path: string, options: InfoArguments): Promise<Facts> {
  // A WAV file or a checkpoint may be longer than fits in memory.
  const head = isFile(path) ? await headOf(path) : new Uint8Array(0);
  if (recordingFormat(head) === 'WAV') return recordingFacts(await openRecording(path));
  if (looksLikePyTorch(head)) return checkpointFacts(await sourceOf(path));
  const bytes = await readInput(path);
  if (recordingFormat(bytes) !== null) return recordingFacts(await openRecordingBytes(bytes));
  if (looksLikeStream(bytes)) return streamFacts(bytes, options);
  if (looksLikePyTorch(bytes)) return checkpointFacts(bytesSource(bytes));
  if (checkpointFormat(bytes) === 'safetensors') return safetensorsFacts(bytes);
  throw new FormatError(
    'info',
    'this is no .acom stream, no safetensors or PyTorch file and no recording that acom reads',
  );
}

/** acom info: what a file is. */
export async function info(names: readonly string[], options: InfoArguments): Promise<ExitCode> {
  return forEachInput(names, ['.acom', ...CHECKPOINTS, ...RECORDINGS], async () => async ({ path }) => {
    const { json, lines } = await factsOf(path, options);
    if (options.json) print(JSON.stringify({ file: path, ...json }));
    else print(shortPath(path), ...lines);
    return EXIT.done;
  });
}

/** What reads the inputs: the coders of the shipped models, and those of the golden streams; and what must hold of each reading. */
import { join } from 'node:path';
import { CODINGS } from '../../src/bitstream/header.js';
import type { Classification } from '../../src/codec/cloud-classifier.js';
import type { Transcript } from '../../src/codec/cloud-decoder.js';
import { type CodecModel, loadCodecModel } from '../../src/codec/load.js';
import { openModel } from '../../src/codec/open-model.js';
import type { StreamCoder, StreamIndices } from '../../src/codec/stream-coder.js';
import { AcomError, createRandom } from '../../src/tensor/index.js';
import { bytesOf, indicesOf, readGolden } from '../../test/bitstream/golden-streams.js';
import { repository } from '../../test/support/shared.js';

export interface Target {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Reads a stream: whether it was accepted. Throws where something holds that must not. */
  read(bytes: Uint8Array): boolean;
}

const require = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

/** What `work` gives, or null where it throws an error of acom's own. */
function orRefused<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof AcomError) return null;
    throw error;
  }
}

/** Indices as an encoder may have them: some often, some again, some of them all alike. */
function seededIndices(
  count: number,
  stages: number,
  codewords: number,
  alike: boolean,
  random: () => number,
) {
  const indices: number[] = [];
  for (let n = 0; n < count; n++) {
    const again = n > 0 && (alike || random() < 0.2);
    for (let s = 0; s < stages; s++) {
      indices.push(again ? indices[indices.length - stages]! : Math.floor(codewords * random() ** 2));
    }
  }
  return indices;
}

/** Streams of every coding: in one packet, in packets of a second, to a bit rate; short, long, silent, empty. */
function seedsOf(coder: StreamCoder): Uint8Array[] {
  const { timing, config, groups } = coder;
  const random = createRandom(7);
  const { codewords, codebooks: most } = config.quantizer;
  const one = timing.packetVectors(1);
  const streams: Uint8Array[] = [];
  const add = (
    seconds: number,
    codebooks: number,
    settings: Omit<Parameters<StreamCoder['write']>[2], 'codebooks'>,
    alike = false,
  ) => {
    const samples = Math.round(seconds * timing.sampleRate);
    const indices = seededIndices(timing.vectors(samples), codebooks * groups, codewords, alike, random);
    streams.push(coder.write(indices, samples, { ...settings, codebooks }));
  };
  for (const coding of CODINGS) {
    if (coding === 'context' && coder.coding !== 'context') continue;
    add(5, Math.min(2, most), { packetVectors: 1 << 20, coding });
    add(8, most, { packetVectors: one, coding });
    add(6, most, { packetVectors: one, coding, targetBitRate: 60 * groups });
  }
  add(0, 1, { packetVectors: one });
  add(30, most, { packetVectors: 1 << 20 }, true);
  add(120, 1, { packetVectors: one });
  return streams;
}

const sameRows = (a: StreamIndices, b: StreamIndices, stages: number): boolean => {
  const [own, others] = [a.indices.shape[1]!, b.indices.shape[1]!];
  return a.indices.data.every((value, i) => {
    const s = i % own;
    return s >= stages || value === b.indices.data[Math.floor(i / own) * others + s];
  });
};

/** Checks a reading; its number of vectors, or null where it is refused. */
function checkRead(coder: StreamCoder, bytes: Uint8Array, turn: number): number | null {
  const read = orRefused(() => coder.read(bytes));
  if (read === null) return null;
  const { indices, codebooks, warnings } = read;
  const { codewords } = coder.config.quantizer;
  require(indices.data.every((v) => v >= -1 && v < codewords), 'an index that is no codeword');
  require(indices.shape[0] === coder.timing.vectors(read.header.samples), 'a wrong number of vectors');
  require(indices.shape[1] === codebooks * coder.groups, 'a wrong number of stages');
  // By turns: most of the cases should be others.
  if (turn % 8 === 0) {
    const again = coder.read(bytes);
    require(sameRows(read, again, codebooks * coder.groups), 'the same bytes are read as something else');
  }
  if (turn % 8 === 1) {
    const rates = Object.values(coder.rates(bytes));
    require(rates.every((rate) => Number.isFinite(rate) && rate >= 0), 'a rate is no number');
  }
  if (turn % 2 === 0)
    checkTruncated(coder, bytes, read, 1 + ((turn >> 1) % codebooks), warnings.length === 0);
  return indices.shape[0]!;
}

/** What is cut to fewer codebooks is a stream of the same codewords. */
function checkTruncated(
  coder: StreamCoder,
  bytes: Uint8Array,
  read: StreamIndices,
  codebooks: number,
  isWhole: boolean,
): void {
  const cut = orRefused(() => coder.truncate(bytes, codebooks));
  require(cut !== null || !isWhole, 'a stream without a warning is not truncated');
  if (cut === null) return;
  const back = coder.read(cut);
  require(back.codebooks === codebooks, 'a truncated stream has not so many codebooks');
  require(sameRows(back, read, codebooks * coder.groups), 'a truncated stream reads as another');
}

/** Whole recordings to words or labels take long: one of so many that are accepted, and none of more vectors. */
const HEARD_OFTEN = 200;
const HEARD_VECTORS = 400;

/** The cloud half of a model behind its coder: what it gives of an accepted stream, or null where it refuses it. */
async function openListener(
  model: CodecModel,
): Promise<(bytes: Uint8Array) => Transcript | Classification | null> {
  if (model.config.task === 'recognition') {
    const decoder = await model.cloudDecoder();
    return (bytes) => orRefused(() => decoder.decode(bytes));
  }
  const classifier = await model.cloudClassifier();
  return (bytes) => orRefused(() => classifier.classify(bytes));
}

function checkHeard(heard: Transcript | Classification | null): void {
  require(heard !== null, 'what the coder reads is refused by the decoder');
  const { seconds, missing } = heard!;
  require(missing.every(
    ({ start, end }) => start >= 0 && start < end && end <= seconds + 1,
  ), 'a lost span lies outside');
  const parts = 'words' in heard! ? heard!.words : heard!.clips;
  require(parts.every(
    ({ confidence }) => confidence >= 0 && confidence <= 1,
  ), 'a confidence is no probability');
}

async function shippedTarget(name: string): Promise<Target> {
  const path = join(repository, `weights/${name}.safetensors`);
  const { coder } = await (await openModel(path)).shared();
  const listen = await openListener(await loadCodecModel(path));
  let [turn, accepted] = [0, 0];
  return {
    name,
    seeds: seedsOf(coder),
    read(bytes) {
      const vectors = checkRead(coder, bytes, turn++);
      if (vectors === null) return false;
      if (vectors <= HEARD_VECTORS && accepted++ % HEARD_OFTEN === 0) checkHeard(listen(bytes));
      return true;
    },
  };
}

/** The coders of the models that ship, and all golden streams, each with models of its own. */
export async function openTargets(): Promise<Target[]> {
  const shipped = await Promise.all(['commands', 'keywords', 'esc10'].map(shippedTarget));
  const golden = readGolden().map((stream): Target => {
    const { codewords } = stream;
    return {
      name: stream.name,
      seeds: [bytesOf(stream.hex)],
      read(bytes) {
        const found = orRefused(() => indicesOf(bytes, stream));
        require((found ?? []).every(
          (row) => row?.every((v) => v >= -1 && v < codewords) ?? true,
        ), 'an index that is no codeword');
        return found !== null;
      },
    };
  });
  return [...shipped, ...golden];
}

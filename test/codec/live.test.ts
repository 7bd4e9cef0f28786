/** Live streams end to end with the shipped live model: what is sent, when, what is heard, and what a loss costs. */
import t from 'tap';
import {
  crc16,
  encodeLivePacket,
  encodeOpening,
  parseLivePacket,
  parseOpening,
} from '../../src/bitstream/index.js';
import {
  CONCEALMENTS,
  type LiveDecoding,
  type LiveUpdate,
  loadCodecModel,
  openModel,
} from '../../src/codec/index.js';
import { LiveDecoder } from '../../src/codec/live-decoder.js';
import { loadCloudHalf } from '../../src/codec/load-suffix.js';
import { runHere } from '../../src/codec/network-work.js';
import type { Word } from '../../src/tasks/index.js';
import {
  AcomError,
  CorruptStreamError,
  concatenate,
  createRandom,
  FormatError,
  ModelError,
  ModelMismatchError,
  UsageError,
  zeros,
} from '../../src/tensor/index.js';
import { loadCommands, readSamples } from '../support/commands.js';
import { liveModelFile } from '../support/live.js';

const model = await loadCodecModel(liveModelFile);
const { coder } = await (await openModel(liveModelFile)).shared();
const [encoder, decoder] = [await model.deviceEncoder(), await model.cloudDecoder()];

const recordings = readSamples();
const first = recordings[0]!;

interface Sent {
  readonly opening: Uint8Array;
  readonly packets: readonly Uint8Array[];
}

/** A recording as packets, pushed in pieces of the sizes that `size` gives. */
function sent(
  { samples, sampleRate }: (typeof recordings)[number],
  options: Parameters<typeof encoder.live>[1] = {},
  size: () => number = () => samples.length || 1,
): Sent {
  const live = encoder.live(sampleRate, options);
  const packets: Uint8Array[] = [];
  for (let from = 0; from < samples.length; ) {
    const to = Math.min(samples.length, from + size());
    packets.push(...live.push(samples.subarray(from, to)));
    from = to;
  }
  packets.push(...live.finish());
  return { opening: live.opening, packets };
}

/** All words of packets, and the last update. */
function heard(stream: LiveDecoding, packets: readonly Uint8Array[]): { words: Word[]; last: LiveUpdate } {
  const words: Word[] = [];
  let last: LiveUpdate | null = null;
  for (const packet of packets) {
    last = stream.receive(packet);
    words.push(...last.words);
  }
  if (!last?.done) {
    last = stream.finish();
    words.push(...last.words);
  }
  return { words, last };
}

t.test('packets do not depend on how the samples came, and carry what the file carries', async (t) => {
  const random = createRandom(1);
  for (const [n, recording] of recordings.entries()) {
    const options = { codebooks: 1 + (n % 4), packetVectors: 1 + (n % 5) };
    const once = sent(recording, options);
    for (const most of [80, 700, 20_000]) {
      const again = sent(recording, options, () => 1 + Math.floor(random() * most));
      t.same(again, once, `recording ${n} in pieces of up to ${most}`);
    }
    const header = parseOpening(once.opening);
    const indices = encoder.quantize(recording.samples, recording.sampleRate, options);
    const found = once.packets.flatMap((packet, number) => {
      const { run } = parseLivePacket(once.opening, packet, number);
      const vectors = Math.min(header.vectorsPerPacket, indices.shape[0]! - number * header.vectorsPerPacket);
      return [...coder.decodeRun(run, vectors, header)];
    });
    t.same(found, [...indices.data], `recording ${n}: the codewords of the file`);
  }
});

t.test('who listens hears the indices of every vector before its packet is full', async (t) => {
  const heard: number[] = [];
  const live = encoder.live(first.sampleRate, {
    packetVectors: 4,
    onIndices: (indices) => heard.push(...indices),
  });
  const counts: [indices: number, packets: number][] = [];
  let packets = 0;
  for (let from = 0; from < first.samples.length; from += 400) {
    packets += live.push(first.samples.subarray(from, from + 400)).length;
    counts.push([heard.length, packets]);
  }
  t.ok(
    counts.some(([indices, sent]) => indices > 0 && sent === 0),
    'indices come first',
  );
  live.finish();
  t.same(heard, [...encoder.quantize(first.samples, first.sampleRate).data]);
});

t.test('words are those of the file, while it goes on', async (t) => {
  for (const [n, recording] of recordings.entries()) {
    const options = { codebooks: 1 + ((n + 1) % 4), packetVectors: 1 + (n % 3) };
    const whole = decoder.decode(encoder.encode(recording.samples, recording.sampleRate, options));
    const { opening, packets } = sent(recording, options);
    const { words, last } = heard(decoder.live().open(opening), packets);
    t.same(words, whole.words);
    t.match(last, { done: true, lost: 0, packets: packets.length, seconds: whole.seconds, partial: null });
  }
});

t.test(
  'a long file runs in parts, in a little memory, and gives the words of the stream to the last bit',
  async (t) => {
    const all = [0, 1, 2].flatMap(() => recordings.map(({ samples }) => samples));
    const samples = concatenate(all).subarray(0, 61 * 8000 + 123);
    const bytes = encoder.encode(samples, 8000);
    const { suffix } = await loadCloudHalf(await openModel(liveModelFile), 'recognition');
    const parts: number[] = [];
    const { words, seconds } = runHere(decoder.decoding(bytes), {
      forward: (x) => {
        parts.push(x.shape[1]!);
        return suffix.forward(x);
      },
    });
    t.ok(parts.length === 4 && Math.max(...parts) < 600, `frames of its parts: ${parts}`);
    const { opening, packets } = sent({ ...first, samples, sampleRate: 8000 });
    const live = heard(decoder.live().open(opening), packets);
    t.equal(live.last.seconds, seconds);
    t.ok(words.length > 30, `${words.length} words`);
    t.same(live.words, words);
  },
);

t.test('a packet leaves as soon as its sound is there', async (t) => {
  const { samples } = first;
  const live = encoder.live(8000, { packetVectors: 1 });
  const at: number[] = [];
  for (let n = 0; n < samples.length; n++) {
    for (const _ of live.push(samples.subarray(n, n + 1))) at.push(n + 1);
  }
  // The last feature frame of chunk i is centred 80 samples before the chunk's end, and 128 samples wide on each side.
  t.same(
    at.slice(0, 10),
    Array.from({ length: 10 }, (_, i) => 2560 * (i + 1) + 48),
  );
});

t.test('streams together are what they are alone; a bad one ends by itself', async (t) => {
  const live = decoder.live();
  const all = recordings.map((recording, n) =>
    sent(recording, { codebooks: 1 + (n % 4), packetVectors: 1 + (n % 2) }),
  );
  const alone = all.map(({ opening, packets }) => heard(live.open(opening), packets).words);
  const streams = all.map(({ opening }) => live.open(opening));
  const words = all.map((): Word[] => []);
  const errors: AcomError[] = [];
  for (let from = 0; from < 30; from += 3) {
    // Three packets of each stream at once; the third stream breaks in the second turn.
    const batch = all.flatMap(({ packets }, n) =>
      packets.slice(from, from + 3).map((packet) => ({
        n,
        stream: streams[n]!,
        message: n === 2 && from === 3 ? packet.map((byte) => byte ^ 5) : packet,
      })),
    );
    live.receiveAll(batch).forEach((answer, i) => {
      const { n } = batch[i]!;
      if (answer instanceof AcomError) errors.push(answer);
      else words[n]!.push(...answer.words);
      t.equal(answer instanceof AcomError, n === 2 && from >= 3);
    });
  }
  t.equal(errors[0]?.code, 'ACOM_CORRUPT');
  t.match(errors[1], { code: 'ACOM_USAGE' }, 'it is at its end');
  words.forEach((found, n) => {
    if (n !== 2) t.same(found, alone[n], `stream ${n}`);
  });
});

t.test('packets that never come, come late, or come twice', async (t) => {
  const { opening, packets } = sent(first, { packetVectors: 1 });
  for (const concealment of CONCEALMENTS) {
    const stream = decoder.live().open(opening, { concealment });
    const kept = packets.filter((_, n) => n !== 4 && n !== 5 && n !== 9);
    const { words, last } = heard(stream, kept);
    t.match(last, { done: true, lost: 3, packets: packets.length - 3, partial: null }, concealment);
    t.equal(last.seconds, first.samples.length / 8000);
    for (const { start, end } of words) t.ok(start < end && end <= last.seconds + 0.04);
    for (let n = 1; n < words.length; n++) t.ok(words[n]!.start >= words[n - 1]!.end);
  }
  const stream = decoder.live().open(opening);
  stream.receive(packets[0]!);
  stream.receive(packets[2]!);
  const late = stream.receive(packets[1]!);
  t.match(late, { lost: 1, packets: 2, words: [] }, 'too late');
  t.match(stream.receive(packets[2]!), { lost: 1, packets: 2 }, 'twice');
  const far = decoder.live().open(opening);
  t.match(heard(far, packets.slice(12)).last, { lost: 12 }, 'the beginning is gone');
  t.match(heard(decoder.live().open(opening), packets.slice(0, 3)).last, { done: true, packets: 3 });
});

t.test('an opening with longer forms of its numbers than ours', async (t) => {
  const { opening, packets } = sent(first);
  // Samples in three bytes, vectors of a packet in two.
  const head = Uint8Array.of(...opening.subarray(0, 6), 0x80, 0, 0, 0x82, 0);
  const own = Uint8Array.of(...head, crc16(head) >> 8, crc16(head) & 255);
  t.same(parseOpening(own).vectorsPerPacket, parseOpening(opening).vectorsPerPacket);
  const again = packets.map((packet, number) =>
    encodeLivePacket(own, parseLivePacket(opening, packet, number)),
  );
  const stream = decoder.live().open(own);
  const expected = heard(decoder.live().open(opening), packets).words;
  own.fill(0);
  t.same(
    heard(stream, again).words,
    expected,
    'checksums are over what came, which the sender may use again',
  );
});

t.test('a network that fails half way ends the streams that it ran for', async (t) => {
  const { opening, packets } = sent(first, { packetVectors: 1 });
  let fails = false;
  const suffix = {
    forward: () => zeros([1, 8, 21]),
    chunks: {
      steps: 8,
      reach: 0,
      memory: () => [],
      forward: () => {
        if (fails) throw new Error('no memory left');
        return zeros([1, 8, 21]);
      },
    },
  };
  const live = new LiveDecoder(coder, suffix, { lookUp: ({ shape }) => zeros([shape[0]!, 768]) });
  for (const take of [
    (stream: LiveDecoding, message: Uint8Array) => stream.receive(message),
    (stream: LiveDecoding, message: Uint8Array) => {
      const [answer] = live.receiveAll([{ stream, message }]);
      if (answer instanceof AcomError) throw answer;
    },
  ]) {
    const stream = live.open(opening);
    fails = false;
    take(stream, packets[0]!);
    fails = true;
    t.throws(() => take(stream, packets[1]!), /no memory left/);
    fails = false;
    t.throws(
      () => take(stream, packets[2]!),
      UsageError,
      'its memory is half that of one chunk, half of another',
    );
    t.match(stream.finish(), { done: true, packets: 2 });
  }
});

t.test('nothing was said, and next to nothing', async (t) => {
  for (const length of [0, 1, 79, 2559, 2560, 2561, 5119, 5120]) {
    const { opening, packets } = sent({ ...first, samples: new Float32Array(length) }, { packetVectors: 1 });
    const { last } = heard(decoder.live().open(opening), packets);
    t.match(last, { done: true, lost: 0, seconds: length / 8000 }, `${length} samples`);
  }
});

t.test('what is refused', async (t) => {
  const whole = await loadCommands();
  const device = await whole.deviceEncoder();
  t.throws(() => device.live(8000), ModelError);
  const cloud = await whole.cloudDecoder();
  t.throws(() => cloud.live(), ModelError);
  t.throws(() => encoder.live(8000, { packetVectors: 0 }), UsageError);
  t.throws(() => encoder.live(8000, { codebooks: 5 }), UsageError);
  const live = decoder.live();
  const { opening, packets } = sent(first);
  const header = parseOpening(opening);
  t.throws(() => live.open(encodeOpening({ ...header, fingerprint: 7 })), ModelMismatchError);
  t.throws(() => live.open(encodeOpening({ ...header, vectorsPerPacket: 1e6 })), FormatError);
  t.throws(() => live.open(packets[0]!), FormatError);
  const something = { number: 0, run: Uint8Array.of(1, 2), lastSamples: 0 };
  t.throws(() => live.open(opening).receive(encodeLivePacket(opening, something)), FormatError, 'of nothing');
  t.throws(() => live.open(opening, null as never), UsageError);
  const stream = live.open(opening);
  t.throws(() => stream.receive(Uint8Array.of(1, 2, 3, 4, 5)), CorruptStreamError);
  t.throws(() => stream.receive(packets[0]!), UsageError, 'the stream is at its end');
  const done = live.open(opening);
  heard(done, packets);
  t.throws(() => done.receive(packets[0]!), UsageError);
});

/** SentencePiece models: a protocol buffer written here, and models and texts of the library itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PbfWriter } from 'pbf';
import t from 'tap';
import { readSentencePiece, type SentencePiece } from '../../src/checkpoints/index.js';
import { repository } from '../support/shared.js';

const folder = join(repository, 'test/fixtures/sentencepiece');

for (const name of ['unigram', 'bytes', 'plain']) {
  t.test(`pieces and texts of the library: ${name}`, async (t) => {
    const model = await readSentencePiece(new Uint8Array(readFileSync(join(folder, `${name}.model`))));
    const golden = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
      pieces: [string, number, string][];
      cases: [number[], string][];
    };
    t.same(
      model.pieces.map(({ text, score, type }) => [text, score, type]),
      golden.pieces,
    );
    t.ok(golden.cases.length > 80);
    for (const [ids, text] of golden.cases) t.equal(model.decode(ids), text, JSON.stringify(text));
  });
}

const TYPES = ['normal', 'unknown', 'control', 'user defined', 'unused', 'byte'];

/** A ModelProto of pieces. */
function write(
  pieces: readonly SentencePiece[],
  more: (pbf: PbfWriter) => void = () => undefined,
): Uint8Array {
  const pbf = new PbfWriter();
  for (const { text, score, type } of pieces) {
    pbf.writeMessage(
      1,
      (_, message) => {
        message.writeStringField(1, text);
        message.writeFloatField(2, score);
        message.writeVarintField(3, TYPES.indexOf(type) + 1);
      },
      null,
    );
  }
  more(pbf);
  return pbf.finish().slice();
}

const piece = (text: string, type: SentencePiece['type'] = 'normal'): SentencePiece => ({
  text,
  type,
  score: -0.5,
});
const pieces = [
  piece('<unk>', 'unknown'),
  piece('<s>', 'control'),
  piece('\u2581on'),
  piece('e'),
  piece('<0x0A>', 'byte'),
  piece('<0xE2>', 'byte'),
  piece('<0x82>', 'byte'),
  piece('<0xAC>', 'byte'),
  piece('\u2581'),
];

t.test('pieces of every kind', async (t) => {
  const model = await readSentencePiece(write(pieces));
  t.same(model.pieces, pieces);
  for (const [ids, text] of [
    [[2, 3, 2, 3], 'one one'],
    [[1, 2, 3, 1], 'one'],
    [[2, 0, 3], 'on \u2047 e'],
    [[3, 4, 3], 'e\ne'],
    [[5, 6, 7], '\u20ac'],
    [[5, 6, 3, 7], '\ufffd\ufffde\ufffd'],
    [[8, 8, 2], 'on'],
    [[], ''],
  ] as const) {
    t.equal(model.decode(ids), text, JSON.stringify(text));
  }
  for (const id of [-1, 9, 1.5, Number.NaN])
    t.throws(() => model.decode([id]), { code: 'ACOM_USAGE' }, String(id));
});

t.test('what is no model', async (t) => {
  const good = write(pieces);
  const wrong: Record<string, Uint8Array> = {
    'no bytes': new Uint8Array(0),
    'cut short': good.subarray(0, good.length - 3),
    'a field with the number 0': write(pieces, (pbf) => pbf.writeTag(0, 0)),
    'a byte piece that names none': write([piece('<0xZZ>', 'byte')]),
    'a length beyond the file': Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0x7f),
    'a varint without an end': new Uint8Array(20).fill(0xff),
    'a piece that is no UTF-8': Uint8Array.of(0x0a, 3, 0x0a, 1, 0xff),
    text: new TextEncoder().encode('<unk>\t0\n<s>\t0\n'),
  };
  for (const [what, bytes] of Object.entries(wrong)) {
    await t.rejects(readSentencePiece(bytes), { code: 'ACOM_FORMAT' }, what);
  }
});

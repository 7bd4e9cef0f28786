/** Codec models: halves that load their own tensors only, from memory, file and URL, and files that are wrong. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import {
  bytesSource,
  openSafetensors,
  readSafetensors,
  type TensorData,
  writeSafetensors,
} from '../../src/checkpoints/index.js';
import {
  type CodecConfig,
  loadCodecModel,
  packExportedNetwork,
  parseConfig,
  roleOf,
  writeModel,
} from '../../src/codec/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { modelFile, readSamples } from '../support/commands.js';
import { shared, skipWithout } from '../support/shared.js';

const bytes = new Uint8Array(readFileSync(modelFile));
const [sample] = readSamples();
const whole = await loadCodecModel(bytes);

/** The model's file with its metadata or tensors changed. */
function rewritten(
  change: (metadata: Record<string, string>, tensors: Map<string, TensorData>) => void,
): Uint8Array {
  const { metadata, tensors } = readSafetensors(bytes.slice());
  const texts = Object.fromEntries(metadata);
  const data = new Map<string, TensorData>(
    [...tensors].map(([name, { data, shape }]) => [name, { data, shape }]),
  );
  change(texts, data);
  return writeSafetensors(data, texts);
}

t.test('a device file and a cloud file, each with its own tensors', async (t) => {
  const parts = await whole.split();
  const device = await loadCodecModel(parts.device);
  const cloud = await loadCodecModel(parts.cloud);
  t.equal(device.fingerprint, whole.fingerprint);
  t.equal(cloud.fingerprint, whole.fingerprint);
  t.same([device.part, cloud.part, whole.part], ['device', 'cloud', 'whole']);
  const stream = (await device.deviceEncoder()).encode(sample!.samples, sample!.sampleRate);
  t.same(stream, (await whole.deviceEncoder()).encode(sample!.samples, sample!.sampleRate));
  t.equal((await cloud.cloudDecoder()).decode(stream).text, sample!.transcript);
  await t.rejects(device.cloudDecoder(), { code: 'ACOM_MODEL', message: /only the device half.*cloud file/ });
  await t.rejects(cloud.deviceEncoder(), { code: 'ACOM_MODEL', message: /only the cloud half/ });
  await t.rejects(device.uncutRecognizer(), { code: 'ACOM_MODEL' });
  await t.rejects(device.split(), { code: 'ACOM_MODEL' });
  const names = (file: Uint8Array) => [...readSafetensors(file).tensors.keys()];
  const common = names(parts.device).filter((name) => names(parts.cloud).includes(name));
  const contexts = ['biases', 'earlier', 'leaves', 'nodes', 'previous', 'second'];
  t.same(common.sort(), [
    ...contexts.map((table) => `entropy.context.${table}`),
    'entropy.frequencies',
    'quantizer.codebooks',
  ]);
  t.ok(
    parts.cloud.length < bytes.length / 2,
    `${parts.device.length} and ${parts.cloud.length} of ${bytes.length} bytes`,
  );
});

/** How a server treats byte ranges: answers them, hides their size, knows none, or sends less than asked. */
type Ranges = 'answered' | 'hidden' | 'unknown' | 'shortened' | 'forced';

/** Serves the model; counts the requests and the bytes that go out. */
async function serve(ranges: Ranges, breakAfter = Number.POSITIVE_INFINITY) {
  let [sent, requests] = [0, 0];
  const server = createServer((request, response) => {
    requests++;
    if (request.url !== '/model.safetensors') {
      response.writeHead(404).end();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const less = ranges === 'shortened' && from !== '0' ? 1 : 0;
    const asked = ranges !== 'unknown' && from && to;
    const part = asked ? bytes.subarray(Number(from), Number(to) + 1 - less) : bytes;
    sent += part.length;
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
    const shown = asked && (ranges === 'answered' || ranges === 'shortened');
    response.writeHead(asked || ranges === 'forced' ? 206 : 200, {
      'content-length': part.length,
      ...(shown ? { 'content-range': range } : {}),
    });
    if (requests <= breakAfter) response.end(part);
    else response.write(part.subarray(0, part.length / 2), () => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const url = (path: string) => new URL(`http://127.0.0.1:${port}/${path}`);
  return { url, sent: () => sent, requests: () => requests, close: () => server.close() };
}

t.test('from a path, a file URL, a server with and without byte ranges', async (t) => {
  const ranged = await serve('answered');
  const plain = await serve('unknown');
  const sources = [
    modelFile,
    pathToFileURL(modelFile),
    ranged.url('model.safetensors'),
    plain.url('model.safetensors').href,
  ];
  const stream = (await whole.deviceEncoder()).encode(sample!.samples, sample!.sampleRate);
  for (const source of sources) {
    const decoder = await (await loadCodecModel(source)).cloudDecoder();
    t.equal(decoder.decode(stream).text, sample!.transcript, String(source));
  }
  t.ok(ranged.sent() < 0.4 * bytes.length, `the cloud half took ${ranged.sent()} of ${bytes.length} bytes`);
  t.equal(plain.sent(), bytes.length, 'without ranges, one request for all');
  await t.rejects(loadCodecModel(ranged.url('nothing')), { code: 'ACOM_SOURCE', message: /404/ });
  ranged.close();
  plain.close();
  await t.rejects(loadCodecModel(join(t.testdirName, 'nothing.safetensors')), {
    code: 'ACOM_SOURCE',
    message: /no such file/,
  });
  await t.rejects(loadCodecModel(new URL('http://127.0.0.1:1/model')), {
    code: 'ACOM_SOURCE',
    message: /could not be fetched/,
  });
});

t.test('each half is one stretch of the file, and so is each role: three requests', async (t) => {
  const { requests, url, close } = await serve('answered');
  const model = await loadCodecModel(url('model.safetensors'));
  await model.deviceEncoder();
  t.equal(requests(), 3, 'header, device and shared tensors');
  await model.cloudDecoder();
  t.equal(requests(), 4, 'and the cloud tensors');
  close();
  const parts = await whole.split();
  for (const [what, file, expected] of [
    ['shipped', bytes, ['device', 'shared', 'cloud']],
    ['written', packChanged(() => {}), ['device', 'shared', 'cloud']],
    ['device file', parts.device, ['device', 'shared']],
    ['cloud file', parts.cloud, ['shared', 'cloud']],
  ] as const) {
    const { tensors } = await openSafetensors(bytesSource(file));
    const roles = [...tensors.values()]
      .sort((a, b) => a.begin - b.begin)
      .map(({ name }) => roleOf(name, model.config));
    t.same(
      roles.filter((role, i) => role !== roles[i - 1]),
      expected,
      what,
    );
  }
});

t.test('from another origin, where the size of the file is hidden', async (t) => {
  const { requests, url, sent, close } = await serve('hidden');
  const decoder = await (await loadCodecModel(url('model.safetensors'))).cloudDecoder();
  t.equal(decoder.config.name, whole.config.name);
  t.equal(requests(), 2, 'once more, for all of it');
  t.ok(sent() > bytes.length);
  close();
  const forced = await serve('forced');
  await t.rejects(loadCodecModel(forced.url('model.safetensors')), {
    code: 'ACOM_SOURCE',
    message: /only a part of the file/,
  });
  forced.close();
});

t.test('connections that break off, and servers that send less than asked', async (t) => {
  for (const good of [0, 1, 2]) {
    const { url, close } = await serve('answered', good);
    const loading = loadCodecModel(url('model.safetensors')).then((model) => model.deviceEncoder());
    await t.rejects(loading, { code: 'ACOM_SOURCE', message: /the connection broke off/ }, `after ${good}`);
    close();
  }
  const short = await serve('shortened');
  await t.rejects(
    loadCodecModel(short.url('model.safetensors')).then((model) => model.deviceEncoder()),
    { code: 'ACOM_SOURCE', message: /the server sent \d+ bytes of \d+/ },
  );
  short.close();
});

t.test('what names no file', async (t) => {
  for (const wrong of [undefined, null, 5, {}, new Float32Array(2)]) {
    await t.rejects(loadCodecModel(wrong as unknown as string), {
      code: 'ACOM_USAGE',
      message: /path, its URL or its bytes/,
    });
  }
  await t.rejects(loadCodecModel('https://'), { code: 'ACOM_USAGE', message: /no URL/ });
  const { buffer } = bytes.slice();
  t.equal((await loadCodecModel(buffer)).fingerprint, whole.fingerprint, 'an ArrayBuffer is bytes');
});

t.test('a changed tensor is noticed by the half that has it', async (t) => {
  const changed = rewritten((_, tensors) => {
    (tensors.get('2.w.bias')!.data as Float32Array)[0]! += 1e-3;
  });
  const model = await loadCodecModel(changed);
  t.equal(model.fingerprint, whole.fingerprint, 'the header is as it was');
  t.ok(await model.deviceEncoder(), 'the device half is untouched');
  await t.rejects(model.cloudDecoder(), { code: 'ACOM_MODEL', message: /cloud tensors are damaged/ });
});

t.test('another model: the stream says so', async (t) => {
  const other = await loadCodecModel(
    packChanged((config) => {
      config['licence'] = 'another';
    }),
  );
  t.not(other.fingerprint, whole.fingerprint);
  const stream = (await other.deviceEncoder()).encode(sample!.samples, sample!.sampleRate);
  const decoder = await whole.cloudDecoder();
  t.throws(() => decoder.decode(stream), {
    code: 'ACOM_MODEL_MISMATCH',
    message: /with the model that encoded it/,
  });
});

/** The shipped model with another configuration, digests made anew. */
function packChanged(change: (config: Record<string, unknown>) => void): Uint8Array {
  const { metadata, tensors } = readSafetensors(bytes);
  const config = JSON.parse(metadata.get('config')!) as Record<string, unknown>;
  change(config);
  const data = new Map<string, TensorData>(
    [...tensors].map(([name, { data, shape }]) => [name, { data, shape }]),
  );
  return writeModel(config as unknown as CodecConfig, data);
}

t.test('files that are no codec model, or not a whole one', async (t) => {
  const wrong: [string, Uint8Array, RegExp][] = [
    ['a bare network', rewritten((m) => delete m['format']), /no codec model.*acom model pack/],
    ['no configuration', rewritten((m) => delete m['config']), /no JSON/],
    ['an unknown part', rewritten((m) => Object.assign(m, { part: 'half' })), /part is "half"/],
    ['no digests', rewritten((m) => Object.assign(m, { digests: '{}' })), /digests/],
  ];
  for (const [what, file, message] of wrong) {
    await t.rejects(loadCodecModel(file), { code: 'ACOM_MODEL', message }, what);
  }
  const missing = await loadCodecModel(packWithout('1.encoder.layers.0.norm1.norm.weight'));
  await t.rejects(missing.deviceEncoder(), {
    code: 'ACOM_MODEL',
    message: /device half: .* 1\.encoder\.layers\.0\.norm1\.norm\.weight is missing/,
  });
  t.throws(() => packWithout('', { name: '1.unknown', tensor: { data: new Float32Array(1), shape: [1] } }), {
    code: 'ACOM_MODEL',
    message: /1\.unknown belongs to no part/,
  });
  const misshapen = packWithout('2.w.bias', {
    name: '2.w.bias',
    tensor: { data: new Float32Array(3), shape: [3] },
  });
  await t.rejects((await loadCodecModel(misshapen)).cloudDecoder(), {
    message: /2\.w\.bias has shape \[3\], expected \[21\]/,
  });
});

function packWithout(name: string, instead?: { name: string; tensor: TensorData }): Uint8Array {
  const { metadata, tensors } = readSafetensors(bytes);
  const data = new Map<string, TensorData>(
    [...tensors].map(([key, { data, shape }]) => [key, { data, shape }]),
  );
  data.delete(name);
  if (instead) data.set(instead.name, instead.tensor);
  return writeModel(parseConfig(metadata.get('config')!), data);
}

t.test('configurations that make no sense are refused by field', async (t) => {
  const text = readSafetensors(bytes).metadata.get('config')!;
  const wrong: [field: string, value: unknown, message: RegExp][] = [
    ['labels', undefined, /labels is missing/],
    ['labels', ['a'], /labels is 1, expected 21/],
    ['task', 'poetry', /task is "poetry"/],
    ['splitLayer', 5, /splitLayer is 5, expected at most 4/],
    ['splitLayer', -1, /splitLayer is -1/],
    ['frontEnd.fftSize', 1e12, /FFT of 1000000000000/],
    ['frontEnd.hopSamples', 0, /hop of 0/],
    ['frontEnd.compression', 'zip', /frontEnd\.compression/],
    ['network.classes', 1e9, /classes is 1000000000/],
    ['network.encoder.width', 97, /width of 97 does not divide/],
    ['network.encoder.depthwiseTaps', 4, /no centre/],
    ['network.frontEnd.strides', [2], /differ in number/],
    ['network.frontEnd.channels', [32, 1e9], /channels is 1000000000/],
    ['quantizer.pooling', 0, /quantizer\.pooling is 0/],
    ['quantizer.defaultCodebooks', 5, /defaultCodebooks is 5, expected at most 4/],
    ['quantizer.codewords', 1e6, /codewords is 1000000/],
  ];
  for (const [field, value, message] of wrong) {
    const config = JSON.parse(text) as Tree;
    const path = field.split('.');
    const owner = path.slice(0, -1).reduce((tree, name) => tree[name] as Tree, config);
    owner[path[path.length - 1]!] = value;
    t.throws(() => parseConfig(JSON.stringify(config)), { code: 'ACOM_MODEL', message }, field);
  }
  t.throws(() => parseConfig('{'), { code: 'ACOM_MODEL', message: /no JSON/ });
  t.throws(() => parseConfig('[]'), { code: 'ACOM_MODEL' });
  t.throws(() => parseConfig('null'), { code: 'ACOM_MODEL' });
});

type Tree = Record<string, unknown>;

t.test('3,000 configurations with a value replaced: refused by name, or as good as before', async (t) => {
  const text = readSafetensors(bytes).metadata.get('config')!;
  const random = createRandom(5);
  const values = [null, '', 'x', -1, 0, 0.5, 1e9, 2 ** 40, [], {}, true, [[1]], Number.MAX_VALUE];
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    let config = JSON.parse(text) as Tree;
    const root = config;
    for (;;) {
      const keys = Object.keys(config);
      const key = keys[Math.floor(random() * keys.length)]!;
      const value = config[key];
      if (typeof value === 'object' && value !== null && random() < 0.8 && Object.keys(value).length > 0) {
        config = value as Tree;
        continue;
      }
      config[key] = values[Math.floor(random() * values.length)];
      break;
    }
    try {
      parseConfig(JSON.stringify(root));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ACOM_MODEL') throw error;
      refused++;
    }
  }
  t.ok(refused > 1500, `${refused} refused`);
});

t.test('packing an exported network', { skip: skipWithout('weights/commands') }, async (t) => {
  const exported = new Uint8Array(readFileSync(shared('weights/commands/commands.safetensors')));
  const options = { licence: 'CC BY-SA 4.0', trainingData: ['digits'] };
  const { model, dropped } = packExportedNetwork(exported, options);
  t.same(dropped, ['1.positional_encoding.inv_freq']);
  const before = readSafetensors(exported).tensors;
  const renamed: Readonly<Record<string, string>> = { 'quantizer.codebooks': 'rvq.codebooks' };
  for (const [name, { data }] of readSafetensors(model).tensors) {
    // Counts become tables.
    if (name !== 'entropy.frequencies') t.same(before.get(renamed[name] ?? name)?.data, data, name);
  }
  const { config } = await loadCodecModel(model);
  t.match(config, { ...options, splitLayer: 3, quantizer: { codebooks: 2, codewords: 256, pooling: 2 } });
  t.throws(() => packExportedNetwork(bytes, options), { code: 'ACOM_MODEL', message: /under "acom"/ });
});

t.test('tables of contexts that are missing, misshapen or none', async (t) => {
  const broken: [string, (tensors: Map<string, TensorData>) => void, RegExp][] = [
    [
      'one is missing',
      (tensors) => tensors.delete('entropy.context.second'),
      /entropy.context.second must be int8/,
    ],
    [
      'another type',
      (tensors) => {
        const { data, shape } = tensors.get('entropy.context.nodes')!;
        tensors.set('entropy.context.nodes', { data: Int16Array.from(data as Int8Array), shape });
      },
      /entropy.context.nodes must be int8 \[4, 256, 16\]/,
    ],
    [
      'a leaf twice',
      (tensors) => {
        const { data, shape } = tensors.get('entropy.context.leaves')!;
        const leaves = Int16Array.from(data as Int16Array);
        leaves[1] = leaves[0]!;
        tensors.set('entropy.context.leaves', { data: leaves, shape });
      },
      /codeword 1 of stage 0 has leaf \d+, which is none or another's/,
    ],
  ];
  const { metadata, tensors } = readSafetensors(bytes.slice());
  const config = JSON.parse(metadata.get('config')!) as CodecConfig;
  for (const [name, change, message] of broken) {
    const changed = new Map<string, TensorData>(
      [...tensors].map(([key, { data, shape }]) => [key, { data, shape }]),
    );
    change(changed);
    const model = await loadCodecModel(writeModel(config, changed));
    const encode = async () => (await model.deviceEncoder()).encode(new Float32Array(8000), 8000);
    await t.rejects(encode, { message }, name);
  }
});

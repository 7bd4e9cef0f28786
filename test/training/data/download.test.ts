/** Downloads from a server in this process that sends what it should, breaks off, lies, or has nothing. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeWav } from '../../../src/audio/index.js';
import {
  downloadArchive,
  fetchDataset,
  LOCK_FILE,
  readDataset,
  SOURCES,
  type Source,
} from '../../../src/training/data/index.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers with each of `answers` in turn, the last one from then on. */
async function serve(test: Test, ...answers: readonly Answer[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answers[Math.min(requests.length, answers.length) - 1]!(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  test.teardown(() => new Promise((done) => server.close(done)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.tar.gz`, requests };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Sends all of a file or the part that was asked for; with `cut`, only so many bytes before the connection ends. */
const sending =
  (bytes: Uint8Array, { version = '"1"', cut = Infinity }: { version?: string; cut?: number } = {}): Answer =>
  (request, response) => {
    const isPart = request.headers.range !== undefined && request.headers['if-range'] === version;
    const from = isPart ? Number(/\d+/.exec(request.headers.range!)![0]) : 0;
    if (isPart) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
    if (version !== '') response.setHeader('etag', version);
    response.writeHead(isPart ? 206 : 200, { 'content-length': bytes.length - from });
    if (cut === Infinity) response.end(bytes.subarray(from));
    else response.write(bytes.subarray(from, from + cut), () => setTimeout(() => response.destroy(), 50));
  };

const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code).end();

/** A small dataset as its authors would pack it. */
function archive(folder: string): Uint8Array {
  mkdirSync(join(folder, 'fsdd-1.0/recordings'), { recursive: true });
  for (const name of ['1_theo_0.wav', '2_theo_7.wav']) {
    const bytes = writeWav(Float32Array.from({ length: 4000 }, Math.random), { sampleRate: 8000 });
    writeFileSync(join(folder, 'fsdd-1.0/recordings', name), bytes);
  }
  execFileSync('tar', ['-czf', 'data.tar.gz', 'fsdd-1.0'], { cwd: folder });
  return readFileSync(join(folder, 'data.tar.gz'));
}

const sourceOf = (url: string, more: Partial<Source> = {}): Source => ({
  ...{ name: 'small', url, strip: 1, licence: 'none', attribution: 'nobody' },
  ...more,
});

t.test('a dataset is fetched, checked, unpacked and read', async (t) => {
  const bytes = archive(t.testdir({}));
  const { url, requests } = await serve(t, sending(bytes));
  const folder = join(t.testdirName, 'data', 'small');
  const source = sourceOf(url, { bytes: bytes.length, sha256: sha256(bytes) });
  const seen: [number, number | undefined][] = [];
  const trust = await fetchDataset(source, folder, { onProgress: (done, all) => seen.push([done, all]) });
  t.equal(trust, 'published');
  t.same(seen.at(-1), [bytes.length, bytes.length]);
  t.same(
    (await readDataset(folder)).clips.map(({ label }) => label),
    ['one', 'two'],
  );
  t.same(readdirSync(join(folder, '..')), ['small'], 'nothing else is left');
  t.equal(await fetchDataset(source, folder), 'already there');
  t.equal(requests.length, 1);
});

t.test('where no checksum is published, the first one that was seen is asked for', async (t) => {
  const [first, other] = [Buffer.from('first'), Buffer.from('other')];
  const { url } = await serve(t, sending(first), sending(first), sending(other), sending(other));
  const folder = t.testdir({});
  const again = () => downloadArchive(sourceOf(url), folder);
  const one = await again();
  t.match(one, { trust: 'first seen', sha256: sha256(first) });
  t.same(JSON.parse(readFileSync(join(folder, LOCK_FILE), 'utf8')), { [url]: sha256(first) });
  t.equal((await again()).trust, 'remembered', 'what is there is checked again');
  writeFileSync(one.file, 'damaged on the disk');
  await t.rejects(again(), { name: 'FormatError', message: /as the first time; if you trust the new one/ });
  t.notOk(existsSync(one.file));
  t.equal((await again()).trust, 'remembered', 'and fetched again where it was damaged');
  writeFileSync(one.file, '');
  await t.rejects(again());
  await t.rejects(
    again(),
    { message: /is [0-9a-f]{64}, not [0-9a-f]{64} as the first time/ },
    'another file',
  );
  writeFileSync(join(folder, LOCK_FILE), '[');
  await t.rejects(again(), { name: 'FormatError', message: /no lock file/ });
});

t.test('a wrong checksum or length is an error, and nothing is kept', async (t) => {
  const bytes = Buffer.from('some archive');
  const { url } = await serve(t, sending(bytes));
  const folder = t.testdir({});
  const from = (more: Partial<Source>) => downloadArchive(sourceOf(url, more), folder);
  await t.rejects(from({ sha256: sha256(Buffer.from('another')) }), {
    message: /as published; it was damaged/,
  });
  await t.rejects(from({ bytes: 11 }), { name: 'FormatError', message: /more than the 11 bytes/ });
  await t.rejects(from({ bytes: 13 }), { name: 'FormatError', message: /12 bytes came, the archive has 13/ });
  t.same(readdirSync(folder), []);
});

t.test('a download that breaks off goes on', async (t) => {
  const bytes = Buffer.alloc(300_000, 'abcdefg');
  const { url, requests } = await serve(t, sending(bytes, { cut: 100_000 }), status(503), sending(bytes));
  const { file } = await downloadArchive(sourceOf(url), t.testdir({}));
  t.ok(readFileSync(file).equals(bytes));
  t.same(
    requests.map(({ headers }) => headers.range),
    [undefined, 'bytes=100000-', 'bytes=100000-'],
  );
});

t.test('it begins anew where the file has changed, or nobody can tell', async (t) => {
  const [bytes, changed] = [Buffer.alloc(200_000, 'abc'), Buffer.alloc(210_000, 'xyz')];
  const cut = { cut: 50_000 };
  const one = await serve(t, sending(bytes, cut), sending(changed, { version: '"2"' }));
  const first = await downloadArchive(sourceOf(one.url), t.testdir({}));
  t.ok(readFileSync(first.file).equals(changed), 'changed');
  const two = await serve(t, sending(bytes, { ...cut, version: '' }), sending(changed, { version: '' }));
  const second = await downloadArchive(sourceOf(two.url, { name: 'other' }), t.testdir({}));
  t.ok(readFileSync(second.file).equals(changed), 'no version');
  t.equal(two.requests[1]!.headers.range, undefined);
});

t.test('one that always breaks off is an error; the next run goes on', async (t) => {
  const bytes = Buffer.alloc(100_000, 'abc');
  const broken = sending(bytes, { cut: 10_000 });
  const { url, requests } = await serve(t, broken, broken, broken, broken, sending(bytes));
  const folder = t.testdir({});
  await t.rejects(downloadArchive(sourceOf(url), folder), {
    name: /BrokenOff|SourceError/,
    message: /run it again/,
  });
  const { file } = await downloadArchive(sourceOf(url), folder);
  t.ok(readFileSync(file).equals(bytes));
  t.equal(requests[4]!.headers.range, 'bytes=40000-');
});

t.test('what is not there', async (t) => {
  const { url, requests } = await serve(t, status(404));
  const folder = t.testdir({});
  await t.rejects(downloadArchive(sourceOf(url), folder), {
    code: 'ACOM_SOURCE',
    isMissing: true,
    message: /404/,
  });
  t.equal(requests.length, 1, 'it is not asked for again');
  await t.rejects(downloadArchive(sourceOf('http://127.0.0.1:1/a.tar.gz'), folder), {
    message: /cannot be reached/,
  });
  const controller = new AbortController();
  controller.abort();
  const stopped = downloadArchive(sourceOf(url), folder, { signal: controller.signal });
  await t.rejects(stopped, { name: 'AbortError' });
});

t.test('archives that cannot be unpacked', async (t) => {
  const { url } = await serve(t, sending(Buffer.from('no archive')));
  const folder = join(t.testdir({}), 'small');
  await t.rejects(fetchDataset(sourceOf(url), folder), { name: 'SourceError', message: /^tar .*/ });
  t.notOk(existsSync(folder));
  const { PATH } = process.env;
  process.env['PATH'] = '/nowhere';
  try {
    await t.rejects(fetchDataset(sourceOf(url), folder), {
      name: 'MissingProgramError',
      message: /apt-get install tar/,
    });
  } finally {
    process.env['PATH'] = PATH;
  }
  t.notOk(readdirSync(join(folder, '..')).some((name) => name.startsWith('.acom')));
});

t.test('sources name their licence, and a commit or a checksum where there is one', async (t) => {
  for (const [name, source] of Object.entries(SOURCES)) {
    t.equal(source.name, name);
    t.match(source, { url: /^https:.*\.tar\.gz$/, licence: /CC BY/, attribution: /\w/ });
  }
});

/** Files of published models: from a folder, a file URL and a server. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { filesOf, importSpeechBrainCnn14 } from '../../src/published/index.js';
import { madeUp, torchStateDict } from '../support/published.js';
import { cnn14HeadShapes, cnn14Shapes } from '../support/speechbrain-shapes.js';

const files: Readonly<Record<string, Uint8Array>> = {
  'embedding_model.ckpt': torchStateDict(madeUp(cnn14Shapes([4, 8], 20))),
  'classifier.ckpt': torchStateDict(madeUp(cnn14HeadShapes('linear', 8, 2))),
  'label_encoder.txt': new TextEncoder().encode("'dog' => 0\n'cat' => 1\n"),
};

/** Serves the files below /model/, by byte range; other paths are answered with `otherwise`. */
async function serve(otherwise: number) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    const file = files[request.url!.replace('/model/', '')];
    if (file === undefined) {
      response.writeHead(otherwise).end();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!;
    const part = file.subarray(Number(from), Number(to) + 1);
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${file.length}` }).end(part);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { base: `http://127.0.0.1:${port}`, asked, close: () => server.close() };
}

t.test('a folder, a file URL and a server give the same', async (t) => {
  const folder = join(t.testdir(), 'with a space, ä and %20');
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const server = await serve(404);
  const first = await importSpeechBrainCnn14(filesOf(folder));
  t.same(first.config.labels, ['dog', 'cat']);
  for (const from of [
    `${folder}//`,
    pathToFileURL(folder),
    pathToFileURL(folder).href,
    `${server.base}/model`,
    new URL(`${server.base}/model/`),
  ]) {
    const { model, notes } = await importSpeechBrainCnn14(filesOf(from));
    t.same([model, notes], [first.model, []], String(from));
  }
  t.ok(server.asked.includes('/model/hyperparams.yaml'), 'what need not be there is asked for');
  server.close();
});

t.test('a file that is not there is null; one that could not be read is an error', async (t) => {
  const [missing, forbidden] = [await serve(404), await serve(403)];
  t.equal(await filesOf(t.testdirName)('asr.ckpt'), null);
  t.equal(await filesOf(`${missing.base}/model`)('asr.ckpt'), null);
  await t.rejects(filesOf(`${forbidden.base}/model`)('asr.ckpt'), {
    code: 'ACOM_SOURCE',
    message: /answered 403/,
  });
  await t.rejects(filesOf('http://127.0.0.1:1/model')('asr.ckpt'), {
    code: 'ACOM_SOURCE',
    message: /fetched/,
  });
  const folder = t.testdir({ 'asr.ckpt': {} });
  await t.rejects(filesOf(folder)('asr.ckpt'), { code: 'ACOM_SOURCE', message: /this is no file/ });
  await t.rejects(importSpeechBrainCnn14(filesOf(`${missing.base}/other`)), {
    code: 'ACOM_SOURCE',
    message: /^embedding_model\.ckpt: there is no such file; weights\/README\.md/,
  });
  missing.close();
  forbidden.close();
});

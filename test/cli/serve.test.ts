/** `acom serve` as a user runs it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadDeviceEncoder, readWav } from '../../src/index.js';
import { acom, oneLine, sample, shell } from '../support/cli.js';
import { modelFile } from '../support/commands.js';
import { post, until } from '../support/server.js';
import { serveProcess } from '../support/server-process.js';

const TOKEN = '0123456789abcdef0123456789abcdef';

t.test('it decodes, and ends by a signal while it does', async (t) => {
  const folder = t.testdir();
  await acom(folder, 'encode', sample('mixed'), '-o', join(folder, 'mixed.acom'));
  const { child, address, line, errors, exit } = await serveProcess(t, ['--workers', '1']);
  t.match(line, /^acom serves commands-live \([0-9a-f]{8}\) at http:\/\/127\.0\.0\.1:\d+$/);
  const decoded = await shell(
    folder,
    `curl -sf --data-binary @mixed.acom -H 'Content-Type: application/octet-stream' ${address}/v1/decode`,
  );
  t.equal((JSON.parse(decoded.stdout) as { text: string }).text, 'yes two four no eight');
  const long = await longStream();
  const asked = post(address, long);
  const at = (message: string) => errors().lastIndexOf(`"msg":"${message}"`);
  await until(() => errors().split('"msg":"incoming request"').length === 3);
  child.kill('SIGTERM');
  const { status, body } = await asked;
  t.equal(status, 200, JSON.stringify(body).slice(0, 200));
  t.equal(await exit, 0);
  t.ok(at('the server ends') < at('request completed'), 'it was in flight');
  for (const each of errors().trim().split('\n')) t.type((JSON.parse(each) as { msg: string }).msg, 'string');
});

/** Some minutes of speech, as a stream. */
async function longStream(): Promise<Uint8Array<ArrayBuffer>> {
  const { samples, sampleRate } = readWav(readFileSync(sample('mixed')));
  const many = new Float32Array(100 * samples.length);
  for (let n = 0; n < 100; n++) many.set(samples, n * samples.length);
  return (await loadDeviceEncoder(modelFile)).encode(many, sampleRate).slice();
}

t.test('tokens from a file, and from the environment', async (t) => {
  const folder = t.testdir({ tokens: `alice:${TOKEN}\n` });
  const file = await serveProcess(t, ['--host', '0.0.0.0', '--token-file', join(folder, 'tokens')]);
  const environment = await serveProcess(t, ['--log-level', 'silent'], { ACOM_TOKENS: `x:${TOKEN}` });
  for (const { address, child, exit, errors } of [file, environment]) {
    const local = address.replace('0.0.0.0', '127.0.0.1');
    t.equal((await fetch(`${local}/v1/model`)).status, 401);
    t.equal((await fetch(`${local}/health`)).status, 200);
    const known = await fetch(`${local}/v1/model`, { headers: { authorization: `Bearer ${TOKEN}` } });
    t.equal(known.status, 200);
    child.kill('SIGINT');
    t.equal(await exit, 0);
    t.notMatch(errors(), TOKEN);
  }
  t.equal(environment.errors(), '');
});

t.test('what it refuses to start with', async (t) => {
  const folder = t.testdir({ empty: '# nobody\n', wrong: 'x:short', 'model.safetensors': 'no model' });
  for (const [args, code, message] of [
    [['--host', '0.0.0.0'], 2, /--token-file FILE .* --host 127\.0\.0\.1/],
    [['--host', '::'], 2, /there are no tokens/],
    [['--host', '0.0.0.0', '--token-file', 'none'], 1, /none: there is no such file/],
    [['--host', '0.0.0.0', '--token-file', 'empty'], 2, /empty holds no token/],
    [['--token-file', 'wrong'], 2, /wrong, line 1: a token has/],
    [['--limit', 'streams=0'], 2, /limit streams is 0/],
    [['--limit', 'nothing=1'], 2, /there is no limit nothing/],
    [['--model', 'none.safetensors'], 1, /none\.safetensors: there is no such file/],
    [['--model', 'model.safetensors'], 1, /model\.safetensors: /],
    [['--host', '192.0.2.1', '--token-file', 'good'], 1, /serve: 192\.0\.2\.1, port 8080: /],
  ] as const) {
    if (args.includes('good' as never)) writeFileSync(join(folder, 'good'), TOKEN);
    const { code: ended, stderr, stdout } = await acom(folder, 'serve', ...args, '--log-level', 'silent');
    t.equal(ended, code, args.join(' '));
    t.match(stderr, message);
    t.ok(oneLine(stderr), stderr);
    t.equal(stdout, '');
  }
  const blank = await shell(folder, 'ACOM_TOKENS= acom serve');
  t.equal(blank.code, 2);
  t.match(blank.stderr, /ACOM_TOKENS holds no token/);
  const open = await acom(folder, 'serve', '--open');
  t.equal(open.code, 2, 'there is no way to open it');
  const help = await acom(folder, 'serve', '--help');
  t.match(help.stdout, /POST \/v1\/decode/);
  const limits = await acom(folder, 'serve', '--limits');
  t.match(limits.stdout, /streamsPerClient=100 +live streams of a client at once/);
});

t.test('a port that is taken', async (t) => {
  const folder = t.testdir();
  const { address, child, exit } = await serveProcess(t, []);
  const { port } = new URL(address);
  const second = await acom(folder, 'serve', '-p', port, '--log-level', 'silent');
  t.equal(second.code, 1);
  t.match(second.stderr, /something else listens there: use another --port/);
  child.kill('SIGTERM');
  t.equal(await exit, 0);
});

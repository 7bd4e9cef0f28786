/** acom worker and acom device as a user runs them, against a broker that asks for a password and speaks TLS too. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'mqtt';
import t from 'tap';
import { acom, main, messages, oneLine, plainEnvironment, sample } from '../support/cli.js';
import { freePort, Mosquitto, noMosquitto, until, WorkerProcess } from '../support/mosquitto.js';
import { repository } from '../support/shared.js';

const hasProgram = (name: string, ...args: string[]) => spawnSync(name, args).error === undefined;
const missing = ['mosquitto_passwd', 'openssl'].filter((name) => !hasProgram(name, 'version'));
const skip = noMosquitto() || (missing.length > 0 && `${missing.join(', ')} not installed`);

let broker: Mosquitto;
let folder: string;
let tlsUrl: string;
const PASSWORD = 'correct horse';
let login: string[];

t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acom-broker-'));
  if (skip) return;
  // mosquitto may read them as a user of its own.
  chmodSync(folder, 0o755);
  const inside = (name: string) => join(folder, name);
  writeFileSync(inside('password.txt'), `${PASSWORD}\n`);
  execFileSync('mosquitto_passwd', ['-c', '-b', inside('passwords'), 'me', PASSWORD]);
  const certificate = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'];
  const names = [
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    inside('key.pem'),
    '-out',
    inside('ca.pem'),
  ];
  execFileSync('openssl', ['req', ...certificate, ...names], { stdio: 'ignore' });
  for (const name of ['key.pem', 'passwords']) chmodSync(inside(name), 0o644);
  const port = await freePort();
  tlsUrl = `mqtts://127.0.0.1:${port}`;
  const tls = [`listener ${port} 127.0.0.1`, `certfile ${inside('ca.pem')}`, `keyfile ${inside('key.pem')}`];
  broker = await Mosquitto.start([`password_file ${inside('passwords')}`, ...tls], false);
  login = ['--username', 'me', '--password-file', inside('password.txt')];
});
t.after(async () => {
  await broker?.close();
  rmSync(folder, { recursive: true });
});

t.test('recordings to words over a broker, with a password and over TLS', { skip }, async (t) => {
  const worker = await WorkerProcess.start(broker.url, '--verbose', '--id', 'w1', ...login);
  const tls = ['--broker', tlsUrl, '--ca', join(folder, 'ca.pem'), ...login];
  const said = await acom(folder, 'device', sample('digits'), sample('counting'), ...tls);
  t.equal(said.stderr, '');
  t.equal(said.code, 0);
  const lines = said.stdout.trim().split('\n');
  t.match(lines[0], /digits\.wav 0\.00 – 5\.42 s: seven three one nine five$/);
  t.match(lines[1], /^ {2}29 bytes, \d+ on the wire and \d+ back, \d+ ms$/);
  t.match(lines[2], /counting\.wav 0\.00 – 5\.02 s: one two three four five$/);
  t.match(
    lines[4],
    /^2 of 2 utterances answered; 10\.4\d s in 58 bytes, \d+ on the wire and \d+ back; with connecting/,
  );
  t.equal(lines.length, 5);

  const json = await acom(
    folder,
    'device',
    sample('digits'),
    '--segment',
    '2s',
    '--json',
    '--broker',
    broker.url,
    ...login,
  );
  const objects = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.same(
    objects.slice(0, 3).map(({ start, end }) => [start, end]),
    [
      [0, 2],
      [2, 4],
      [4, (objects[2] as { end: number }).end],
    ],
  );
  t.ok(Math.abs((objects[2] as { end: number }).end - 5.42) < 0.01);
  t.match(objects[3], { summary: { utterances: 3, answered: 3 } });

  const wrong = join(folder, 'wrong.txt');
  writeFileSync(wrong, 'secret\n');
  const refused = await acom(
    folder,
    'device',
    sample('digits'),
    '--broker',
    broker.url,
    '--username',
    'me',
    '--password-file',
    wrong,
  );
  t.equal(refused.code, 1);
  t.match(
    messages(refused.stderr).at(-1),
    /^acom: broker: .*connecting failed: Connection refused: Not authorized/,
  );
  t.notMatch(refused.stderr, /secret/);
  const untrusted = await acom(folder, 'device', sample('digits'), '--broker', tlsUrl, ...login);
  t.equal(untrusted.code, 1);
  t.match(messages(untrusted.stderr).at(-1), /self-signed certificate/);

  t.equal(await worker.end('SIGTERM'), 0);
  t.equal(worker.lines('answered').length, 5);
  t.match(worker.lines('stopped'), [/^time=\S+Z event=stopped worker=w1 answered=5 refused=0 .*left=0$/]);
  t.notMatch(worker.log, /horse/);
});

t.test('a classifier behind the same broker', { skip }, async (t) => {
  const model = ['-m', join(repository, 'weights/keywords.safetensors')];
  const worker = await WorkerProcess.start(broker.url, '--details', ...model, ...login);
  const clips = join(repository, 'weights/keyword-samples/*.wav');
  const heard = await acom(folder, 'device', clips, '--json', '--broker', broker.url, ...model, ...login);
  t.equal(heard.code, 0, heard.stderr);
  const answers = heard.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const streams = await acom(folder, 'encode', clips, '-o', 'streams', ...model);
  t.equal(streams.code, 0, streams.stderr);
  const local = (await acom(folder, 'decode', 'streams', '--json', ...model)).stdout.trim().split('\n');
  t.same(
    answers.slice(0, -1).map(({ label }) => label),
    local.map((line) => (JSON.parse(line) as { label: string }).label),
    'the labels that acom decode gives',
  );
  t.ok(local.length > 1);
  t.ok(Array.isArray(answers[0]!['classes']), 'details were asked for');
  t.equal(await worker.end('SIGTERM'), 0);
});

t.test("the README's rules keep devices apart", { skip }, async (t) => {
  const readme = readFileSync(join(repository, 'src/transport/mqtt/README.md'), 'utf8');
  const [, rules] = /```\n(user worker\n[\s\S]*?)```/.exec(readme)!;
  const [passwords, acl] = [join(folder, 'names'), join(folder, 'rules')];
  writeFileSync(acl, rules!);
  writeFileSync(passwords, '');
  for (const name of ['worker', 'd7', 'd8'])
    execFileSync('mosquitto_passwd', ['-b', passwords, name, PASSWORD]);
  for (const file of [acl, passwords]) chmodSync(file, 0o644);
  const strict = await Mosquitto.start([`password_file ${passwords}`, `acl_file ${acl}`], false);
  const as = (name: string) => ['--username', name, '--password-file', join(folder, 'password.txt')];
  const worker = await WorkerProcess.start(strict.url, '--verbose', ...as('worker'));
  const curious = connect(strict.url, { protocolVersion: 5, username: 'd8', password: PASSWORD });
  const overheard: string[] = [];
  curious.on('message', (topic) => overheard.push(topic));
  await curious.subscribeAsync('acom/#', { qos: 1 });
  const device = (...args: string[]) =>
    acom(folder, 'device', sample('digits'), '--broker', strict.url, ...args);
  const own = await device('--id', 'd7', ...as('d7'));
  t.match(own, { code: 0, stdout: /seven three one nine five/ });
  const foreign = await device('--id', 'd7', '--deadline', '1s', ...as('d8'));
  t.match(foreign, { code: 1, stdout: /ACOM_UNANSWERED: .*Not authorized/ });
  t.same(overheard, [], 'who subscribes to everything gets nothing');
  await curious.endAsync();
  t.equal(await worker.end('SIGTERM'), 0);
  t.match(worker.lines('stopped'), [/answered=1 .*failed=0/]);
  await strict.close();
});

t.test('no worker is there', { skip }, async (t) => {
  const alone = await acom(
    folder,
    'device',
    sample('digits'),
    '--deadline',
    '500ms',
    '--broker',
    broker.url,
    ...login,
  );
  t.equal(alone.code, 1);
  t.match(alone.stdout, /ACOM_UNANSWERED: no answer in 0\.5 s: no worker takes utterances of model aad351de/);
  t.match(alone.stdout, /^0 of 1 utterances answered/m);
});

t.test('a worker waits for its broker, and may be ended meanwhile', async (t) => {
  const args = ['worker', '--broker', 'mqtt://127.0.0.1:1'];
  const child = spawn('node', [main, ...args], { env: plainEnvironment() });
  let log = '';
  child.stdout.on('data', (part: Buffer) => {
    log += part;
  });
  await until('it tries twice', () => (log.match(/event=trouble .*ECONNREFUSED/g)?.length ?? 0) >= 2);
  const ended = new Promise((done) => child.once('exit', (code) => done(code)));
  child.kill('SIGTERM');
  t.equal(await ended, 0);
});

t.test('arguments', async (t) => {
  for (const [args, message] of [
    [[], /which broker\? Use --broker mqtt:\/\/host, or set ACOM_BROKER/],
    [['--broker', 'mqtt://me:secret@127.0.0.1:1'], /password in --broker.* use --password-file/],
    [['--broker', 'http://me:secret@127.0.0.1:1'], /broker address: it begins with http:/],
    [['--broker', 'mqtt://127.0.0.1:1', '--prefix', 'a/#'], /prefix is "a\/#"/],
  ] as const) {
    for (const command of [['worker'], ['device', sample('digits')]]) {
      const { code, stderr } = await acom(folder, ...command, ...args);
      t.equal(code, 2, stderr);
      t.match(stderr, message);
      t.notMatch(stderr, /secret/);
      t.ok(oneLine(stderr), stderr);
    }
  }
  const missing = await acom(
    folder,
    'worker',
    '--broker',
    'mqtt://127.0.0.1:1',
    '--password-file',
    'nothing.txt',
  );
  t.match(missing, { code: 1, stderr: /^acom: nothing\.txt: there is no such file or folder\n$/ });
});

t.test('without the package mqtt', async (t) => {
  const hooks = `export const resolve = (name, context, next) => {
    if (name === 'mqtt') throw new Error('not found');
    return next(name, context);
  };`;
  const register = `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));`;
  writeFileSync(join(folder, 'register.mjs'), register);
  const args = ['--import', join(folder, 'register.mjs'), main, 'worker', '--broker', 'mqtt://127.0.0.1:1'];
  const { status, stderr } = spawnSync('node', args, { env: plainEnvironment(), encoding: 'utf8' });
  t.equal(status, 1);
  t.equal(stderr, 'acom: talking to a broker needs the package mqtt: npm install mqtt\n');
});

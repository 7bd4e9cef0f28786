/** Who may ask for what: tokens, pages from elsewhere, the page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Server, TokenList } from '../../../src/transport/server/index.js';
import { documentOf } from '../../support/openapi.js';
import { fakeServer, post } from '../../support/server.js';

const TOKEN = '0123456789abcdef';
const tokens = TokenList.parse(`alice:${TOKEN}`, 'test');
const BEARER = { authorization: `Bearer ${TOKEN}` };

t.test('with tokens, nothing else answers without one', async (t) => {
  const server = await fakeServer(t, { tokens });
  const all = [
    '/',
    '/metrics',
    '/openapi.json',
    '/v1/model',
    '/v1/stream',
    '/v1/decode',
    '/nothing',
    '/%zz',
    '/health/x',
  ];
  const wrong = [
    {},
    { authorization: 'Bearer wrong-wrong-wrong' },
    { authorization: `Basic ${TOKEN}` },
    { authorization: `Bearer ${TOKEN}x` },
    { 'sec-websocket-protocol': `acom, bearer.${TOKEN}` },
  ];
  for (const headers of wrong) {
    for (const url of all) {
      const { statusCode, headers: answered, body } = await server.app.inject({ url, headers });
      t.equal(statusCode, 401, `${url} ${JSON.stringify(headers)}`);
      t.match(answered['www-authenticate'], /^Bearer/);
      t.equal((JSON.parse(body) as { error: { code: string } }).error.code, 'ACOM_UNAUTHORIZED');
    }
    for (const url of ['/health', '/ready']) {
      t.equal((await server.app.inject({ url, headers })).statusCode, 200, url);
    }
    t.equal((await post(server.address, 'say hello', headers)).status, 401);
    for (const method of ['HEAD', 'OPTIONS', 'DELETE', 'PUT'] as const) {
      t.equal((await server.app.inject({ method, url: '/v1/model', headers })).statusCode, 401, method);
    }
  }
  t.equal((await server.app.inject({ url: '/v1/model', headers: BEARER })).statusCode, 200);
  t.equal((await server.app.inject({ url: '/nothing', headers: BEARER })).statusCode, 404);
  t.equal((await post(server.address, 'say hello', BEARER)).body.text, 'hello');
});

t.test('without tokens, pages from elsewhere are refused', async (t) => {
  const server = await fakeServer(t);
  const { host } = new URL(server.address);
  const ask = async (headers: Record<string, string>) =>
    (await server.app.inject({ url: '/v1/model', headers })).statusCode;
  t.equal(await ask({ host }), 200);
  t.equal(await ask({ host, origin: `http://${host}` }), 200, 'its own page');
  t.equal(await ask({ host: 'localhost:80' }), 200);
  t.equal(await ask({ host: '[::1]:80' }), 200);
  t.equal(await ask({ host, origin: 'https://elsewhere.example' }), 403);
  t.equal(await ask({ host, origin: 'null' }), 403);
  t.equal(
    await ask({ host: 'elsewhere.example', origin: 'http://elsewhere.example' }),
    403,
    'a name that leads here',
  );
  const guarded = await fakeServer(t, { tokens });
  const { statusCode } = await guarded.app.inject({
    url: '/v1/model',
    headers: { ...BEARER, host: 'elsewhere.example', origin: 'https://page.example' },
  });
  t.equal(statusCode, 200, 'with a token it does not matter');
});

t.test('the page', async (t) => {
  const folder = t.testdir({ 'index.html': '<p>a page', 'page.js': 'export {};' });
  mkdirSync(join(folder, 'deep'));
  writeFileSync(join(folder, 'deep', 'style.css'), 'p {}');
  const ask = async (server: Server, url: string, headers: Record<string, string> = {}) => {
    const response = await server.app.inject({ url, headers });
    return { status: response.statusCode, type: String(response.headers['content-type']) };
  };
  const open = await fakeServer(t, { pageFolder: folder });
  t.match(await ask(open, '/'), { status: 200, type: /^text\/html/ });
  t.match(await ask(open, '/page.js'), { status: 200, type: /javascript/ });
  t.match(await ask(open, '/deep/style.css'), { status: 200, type: /css/ });
  for (const out of [
    '/none.js',
    '/../package.json',
    '/%2e%2e/package.json',
    '/deep/..%2f..%2fpackage.json',
  ]) {
    t.ok([400, 404].includes((await ask(open, out)).status), out);
  }
  const guarded = await fakeServer(t, { pageFolder: folder, tokens });
  t.equal((await ask(guarded, '/')).status, 401);
  t.equal((await ask(guarded, '/page.js')).status, 401);
  t.equal((await ask(guarded, '/page.js', BEARER)).status, 200);
  const shown = await fakeServer(t, { pageFolder: folder, tokens, publicPage: true });
  t.equal((await ask(shown, '/')).status, 200);
  t.equal((await ask(shown, '/deep/style.css')).status, 200);
  for (const url of ['/none.js', '/v1/model', '/metrics', '/openapi.json']) {
    t.equal((await ask(shown, url)).status, 401, url);
  }
  const document = await documentOf(shown, BEARER);
  t.notOk(document.paths['/page.js'], 'files are not described');
  const none = await fakeServer(t, { pageFolder: join(folder, 'none'), tokens, publicPage: true });
  t.equal((await ask(none, '/')).status, 401, 'without a page nothing is public');
});

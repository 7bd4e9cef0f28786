import t from 'tap';
import { UsageError } from '../../../src/tensor/index.js';
import { Clients } from '../../../src/transport/server/clients.js';
import { RefusalError } from '../../../src/transport/server/errors.js';
import {
  checkLimits,
  checkSettings,
  describeLimits,
  isLoopback,
  LIMIT_NAMES,
} from '../../../src/transport/server/settings.js';
import { TokenBucket } from '../../../src/transport/server/token-bucket.js';
import { TokenList } from '../../../src/transport/server/tokens.js';

const engine = { module: new URL('file:///engine.js'), options: null };
const tokens = TokenList.parse('x:0123456789abcdef', 'test');

t.test('limits have defaults and are checked', async (t) => {
  const limits = checkLimits();
  t.same(Object.keys(limits), LIMIT_NAMES);
  t.ok(limits.streams >= 1000, 'a thousand streams are allowed by default');
  t.same(checkLimits({ idleSeconds: 0.5, streams: 7 }), { ...limits, idleSeconds: 0.5, streams: 7 });
  for (const [name, standard, what] of describeLimits()) {
    t.same(checkLimits({ [name]: standard }), limits, `the default of ${name} is allowed`);
    t.ok(what.length > 5);
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e12]) {
      t.throws(() => checkLimits({ [name]: wrong }), UsageError, `${name} ${wrong}`);
    }
  }
  t.throws(() => checkLimits({ streams: 1.5 }), {
    message: /limit streams is 1.5: use a whole number from 1/,
  });
  t.throws(() => checkLimits({ nothing: 1 }), { message: /there is no limit nothing; there are requests/ });
});

t.test('a server that others can reach wants tokens', async (t) => {
  for (const host of ['127.0.0.1', '::1', '[::1]', 'localhost', 'LOCALHOST']) {
    t.ok(isLoopback(host), host);
    t.equal(checkSettings({ engine, host }, 1).tokens, null);
  }
  for (const host of [
    '0.0.0.0',
    '::',
    '',
    '192.168.1.2',
    'example.org',
    '127.0.0.1.example.org',
    '::ffff:127.0.0.1',
  ]) {
    t.throws(
      () => checkSettings({ engine, host }, 1),
      { code: 'ACOM_USAGE', message: /--token-file FILE .* --host 127\.0\.0\.1/ },
      host,
    );
    t.equal(checkSettings({ engine, host, tokens }, 1).host, host);
  }
  t.equal(checkSettings({ engine }, 3).host, '127.0.0.1');
  t.equal(checkSettings({ engine }, 3).workers, 3);
  for (const wrong of [{ port: -1 }, { port: 65_536 }, { workers: 0 }, { workers: 1.5 }, { workers: 257 }]) {
    t.throws(() => checkSettings({ engine, ...wrong }, 1), UsageError);
  }
});

t.test('a bucket gives so many a second, and no more than a burst', async (t) => {
  const bucket = new TokenBucket(2, 5, 100);
  const taken = (now: number) => {
    let count = 0;
    while (bucket.take(1, now)) count++;
    return count;
  };
  t.equal(taken(100), 5);
  t.equal(bucket.wait(1), 0.5);
  t.equal(taken(100.4), 0);
  t.equal(taken(100.5), 1);
  t.equal(taken(101.5), 2);
  t.equal(taken(99), 0, 'time that goes back gives nothing');
  t.equal(taken(1000), 5);
  // Over a long time it is the rate that counts, however it is asked.
  const slow = new TokenBucket(3, 4, 0);
  let count = 0;
  for (let now = 0; now <= 100; now += 0.01) if (slow.take(1, now)) count++;
  t.ok(Math.abs(count - 304) <= 1, `${count} in 100 s`);
});

t.test('clients are remembered, and forgotten when there are too many', async (t) => {
  const limits = checkLimits({
    requestsPerSecond: 0.1,
    requestBurst: 2,
    streamsPerClient: 1,
    decodesPerClient: 1,
  });
  const clients = new Clients(limits);
  const first = clients.of('first');
  t.equal(clients.of('first'), first);
  first.request();
  first.request();
  const refused = t.throws(() => first.request(), { code: 'ACOM_RATE' }) as unknown as RefusalError;
  t.type(refused, RefusalError);
  t.equal(refused.status, 429);
  t.ok(refused.retrySeconds! >= 1 && refused.retrySeconds! <= 10);
  first.requireStream();
  first.streams = 1;
  t.throws(() => first.requireStream(), { code: 'ACOM_TOO_MANY', status: 429 });
  first.decodes = 1;
  t.throws(() => first.requireDecode(), { code: 'ACOM_TOO_MANY', status: 429 });
  const idle = clients.of('idle');
  for (let i = 0; i < 20_000; i++) clients.of(`other ${i}`);
  t.equal(clients.of('first'), first, 'one with a stream is kept');
  t.not(clients.of('idle'), idle, 'one that was silent is not');
  const known = (clients as unknown as { known: Map<string, unknown> }).known;
  t.ok(known.size <= 10_001, `${known.size} are kept`);
});

/** Topics, addresses, sizes of packets, lines of a log: what needs no broker. */
import t from 'tap';
import {
  type LogFields,
  logLine,
  PUBACK_BYTES,
  packetBytes,
  parseBrokerUrl,
  propertyBytes,
  publishBytes,
  Topics,
} from '../../../src/transport/mqtt/index.js';

t.test('topics of a model', async (t) => {
  const topics = new Topics('aad351de');
  t.equal(topics.request('d1'), 'acom/aad351de/in/d1');
  t.equal(topics.answer('d1'), 'acom/aad351de/out/d1');
  t.equal(topics.shared('eu'), '$share/eu/acom/aad351de/in/+');
  t.equal(topics.model, 'acom/models/aad351de');
  t.equal(topics.worker('w'), 'acom/workers/w');
  t.equal(topics.deviceOf('acom/aad351de/in/d1'), 'd1');
  t.equal(new Topics('aad351de', 'site/7').request('d1'), 'site/7/aad351de/in/d1');
  for (const prefix of ['', '/a', 'a/', '$SYS', 'a/+', '#', 'a\u0000b', 'x'.repeat(129)]) {
    t.throws(() => new Topics('aad351de', prefix), { code: 'ACOM_USAGE' }, JSON.stringify(prefix));
  }
});

t.test('an answer goes to a device of the same model and nowhere else', async (t) => {
  const topics = new Topics('aad351de');
  t.ok(topics.mayAnswerOn('acom/aad351de/out/d1'));
  t.ok(topics.mayAnswerOn('acom/aad351de/out/fleet/d1'));
  for (const topic of [
    '',
    'acom/aad351de/out/',
    'acom/aad351de/out/+',
    'acom/aad351de/out/a/#',
    'acom/aad351de/in/d1',
    'acom/aad351df/out/d1',
    'acom/models/aad351de',
    '$SYS/broker',
    'acom/aad351de/out/a\u0000',
  ]) {
    t.notOk(topics.mayAnswerOn(topic), JSON.stringify(topic));
  }
});

t.test('addresses of brokers', async (t) => {
  t.same(parseBrokerUrl('mqtt://127.0.0.1:1883'), { url: 'mqtt://127.0.0.1:1883' });
  t.same(parseBrokerUrl('wss://host/mqtt'), { url: 'wss://host/mqtt' });
  t.same(parseBrokerUrl('mqtts://me:s%20cret@host'), {
    url: 'mqtts://host',
    username: 'me',
    password: 's cret',
  });
  for (const text of [
    '',
    'host',
    'http://u:secret@host',
    'mqtt://',
    'mqtt://u:%zz@host',
    'mqtt//u:secret@host',
  ]) {
    t.throws(() => parseBrokerUrl(text), { code: 'ACOM_USAGE' }, text);
    try {
      parseBrokerUrl(text);
    } catch (error) {
      t.notMatch((error as Error).message, /secret/, 'no password is shown');
    }
  }
});

t.test('sizes of packets that were written by hand', async (t) => {
  // A PUBLISH of QoS 1: topic "a/b", identifier 10, correlation data 1 2, payload "hi".
  const publish = [
    [0x32, 17],
    [0, 3, ...Buffer.from('a/b')],
    [0, 10],
    [5, 0x09, 0, 2, 1, 2],
    [...Buffer.from('hi!?')].slice(0, 2),
  ].flat();
  publish[1] = publish.length - 2;
  const properties = { correlationData: Uint8Array.of(1, 2) };
  const shape = { topicBytes: 3, payloadBytes: 2, qos: 1, propertyBytes: propertyBytes(properties) };
  t.equal(publishBytes(shape), publish.length);
  t.equal(publishBytes({ ...shape, qos: 0 }), publish.length - 2, 'QoS 0 has no identifier');
  // Alias 0x23 0 1, expiry 0x02 and four bytes, content type 0x03 0 1 "x", response topic 0x08 0 2 "yz".
  const all = {
    topicAlias: 1,
    messageExpiryInterval: 7,
    contentType: 'x',
    responseTopic: 'yz',
    ...properties,
  };
  t.equal(propertyBytes(all), 3 + 5 + 4 + 5 + 5);
  t.equal(propertyBytes({}), 0);
  t.same(
    [0, 127, 128, 16383, 16384, 2097151, 2097152].map((n) => packetBytes(n) - n),
    [2, 2, 3, 3, 4, 4, 5],
    'lengths have seven bits a byte',
  );
  t.equal(PUBACK_BYTES, [0x40, 2, 0, 10].length);
});

t.test('lines of a log', async (t) => {
  const time = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  const line = (fields: LogFields) => logLine(time, 'answered', fields);
  t.equal(
    line({ worker: 'w-1', filter: '$share/a/b/+', bytes: 12, seconds: 0.5 }),
    'time=2026-01-02T03:04:05.006Z event=answered worker=w-1 filter=$share/a/b/+ bytes=12 seconds=0.5',
  );
  t.equal(
    line({ device: 'a b\nevent=stopped "x"', empty: '' }),
    'time=2026-01-02T03:04:05.006Z event=answered device="a b\\nevent=stopped \\"x\\"" empty=""',
    'no value looks like another field, or another line',
  );
});

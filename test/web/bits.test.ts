/** Bits on the wire, against the WebSocket of a package and against sums done by hand. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { compare, frameBytes, WireCount } from '../../src/web/bits.js';

t.test('a frame is what a client of ws sends around a message', async (t) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.teardown(() => client.terminate());
  const [incoming, { socket }] = (await once(server, 'connection')) as [WebSocket, { socket: Socket }];
  if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
  for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
    const before = socket.bytesRead;
    client.send(new Uint8Array(length));
    await once(incoming, 'message');
    t.equal(socket.bytesRead - before, length + frameBytes(length), `${length} bytes`);
  }
});

t.test('what others would have sent for the same seconds', async (t) => {
  const count = new WireCount();
  const none = compare(count, 0, 8000);
  t.same(
    none.map(({ bits, bitsPerSecond, times }) => [bits, bitsPerSecond, times]),
    [
      [0, null, null],
      [0, null, null],
      [0, null, null],
      [0, null, null],
    ],
    'nothing yet, and nothing divided by it',
  );
  count.add(new Uint8Array(10));
  count.add(new Uint8Array(15));
  t.equal(count.messages, 2);
  const [acom, framed, opus, pcm] = compare(count, 4, 8000);
  t.match(acom, { name: 'acom', bits: 200, bitsPerSecond: 50, times: 1 });
  t.match(framed, { name: 'framed', bits: 296, bitsPerSecond: 74, times: 1.48 }, 'six bytes more a message');
  t.match(opus, { name: 'opus', bits: 24_000, bitsPerSecond: 6000, times: 120 });
  t.match(pcm, { name: 'pcm', bits: 512_000, bitsPerSecond: 128_000, times: 2560 });
});

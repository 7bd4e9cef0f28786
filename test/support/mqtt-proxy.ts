/** Stands between a client and a broker and shows their packets, which it may hold back: MQTT's framing, read anew. */
import { createServer, connect as dial, type Socket } from 'node:net';

/** Numbers of packets in the first four bits. */
export const PUBLISH = 3;
export const PUBACK = 4;

export interface PassedPacket {
  readonly from: 'client' | 'broker';
  readonly type: number;
  readonly bytes: Buffer;
}

/** The first packet of what was read; null where it is not whole yet. */
function cutPacket(data: Buffer): Buffer | null {
  let [length, at] = [0, 1];
  for (let shift = 0; ; shift += 7, at++) {
    const byte = data[at];
    if (byte === undefined) return null;
    length += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  const end = at + 1 + length;
  return data.length < end ? null : data.subarray(0, end);
}

export class MqttProxy {
  readonly passed: PassedPacket[] = [];
  /** Packets that are not passed on until `release`. */
  holds: (packet: PassedPacket) => boolean = () => false;
  private readonly held: (() => void)[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server;
  url = '';

  private constructor(port: number) {
    this.server = createServer((client) => {
      const broker = dial(port, '127.0.0.1');
      this.pass('client', client, broker);
      this.pass('broker', broker, client);
    });
  }

  /** To the broker at `port`; `own` is its own port, 0 for a free one. */
  static async start(port: number, own = 0): Promise<MqttProxy> {
    const proxy = new MqttProxy(port);
    await new Promise<void>((done) => proxy.server.listen(own, '127.0.0.1', () => done()));
    proxy.url = `mqtt://127.0.0.1:${(proxy.server.address() as { port: number }).port}`;
    return proxy;
  }

  release(): void {
    this.holds = () => false;
    for (const send of this.held.splice(0)) send();
  }

  count(from: PassedPacket['from'], type: number): number {
    return this.passed.filter((packet) => packet.from === from && packet.type === type).length;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }

  private pass(from: PassedPacket['from'], source: Socket, target: Socket): void {
    this.sockets.add(source);
    let rest = Buffer.alloc(0);
    source.on('data', (part: Buffer) => {
      rest = Buffer.concat([rest, part]);
      for (let bytes = cutPacket(rest); bytes !== null; bytes = cutPacket(rest)) {
        rest = rest.subarray(bytes.length);
        const packet = { from, type: bytes[0]! >> 4, bytes };
        const send = (): void => {
          this.passed.push(packet);
          target.write(packet.bytes);
        };
        if (this.holds(packet)) this.held.push(send);
        else send();
      }
    });
    source.on('close', () => target.destroy());
    source.on('error', () => target.destroy());
  }
}

import { randomBytes } from 'node:crypto';
import type { DeviceEncoder, EncodeOptions } from '../codec/index.js';
import { UsageError } from '../tensor/index.js';
import { MqttDevice, type Reply } from '../transport/mqtt/index.js';
import { type BrokerArguments, brokerOf } from './broker.js';
import { RECORDINGS } from './encode.js';
import { shortPath } from './files.js';
import { openHalf } from './model.js';
import { type OpenRecording, openRecording, warnIfCut } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, given, print, warn } from './run.js';
import { count, seconds } from './text.js';

export interface DeviceArguments extends BrokerArguments {
  readonly model?: string;
  readonly codebooks?: number;
  readonly bitRate?: number;
  readonly segment: number;
  readonly deadline?: number;
  readonly topicAliases: boolean;
  readonly describe?: boolean;
  readonly json?: boolean;
}

/** A piece of a recording that is on its way, in seconds of the recording. */
interface Sent {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
  readonly reply: Promise<Reply>;
  isReplied: boolean;
}

/** Utterances that wait for their answers before the next one is sent. */
const MOST_WAITING = 32;

/** Pieces of a recording of at most `length` seconds, encoded one by one; one of no samples where there are none. */
function* encodeSegments(
  encoder: DeviceEncoder,
  recording: OpenRecording,
  length: number,
  settings: EncodeOptions,
): Generator<{ readonly start: number; readonly end: number; readonly bytes: Uint8Array }> {
  const { sampleRate } = recording;
  const most = Math.max(1, Math.floor(length * sampleRate));
  let [stream, from, at] = [encoder.stream(sampleRate, settings), 0, 0];
  const piece = () => ({ start: from / sampleRate, end: at / sampleRate, bytes: stream.finish() });
  for (const block of recording.blocks()) {
    for (let used = 0; used < block.length; ) {
      if (at - from === most) {
        yield piece();
        [stream, from] = [encoder.stream(sampleRate, settings), at];
      }
      const take = Math.min(most - (at - from), block.length - used);
      stream.push(block.subarray(used, used + take));
      [used, at] = [used + take, at + take];
    }
  }
  yield piece();
}

/** What an answer says, in one line. */
function headline({ answer, error }: Reply): string {
  if (error !== null) return `${error.code}: ${error.message}`;
  const { text, label } = answer!;
  if (typeof text === 'string') return text === '' ? '(nothing was heard)' : text;
  return typeof label === 'string' ? label : '(nothing to classify)';
}

/** acom device: recordings to answers over a broker, the device half here and the cloud half wherever workers are. */
export async function device(names: readonly string[], options: DeviceArguments): Promise<ExitCode> {
  const broker = await brokerOf(options);
  const encoder = await openHalf(options.model, (model) => model.deviceEncoder());
  const settings: EncodeOptions = given({ codebooks: options.codebooks, targetBitRate: options.bitRate });
  if (options.segment < 0.1) throw new UsageError('--segment is below 0.1 s, in which nothing is heard');
  let client: MqttDevice | undefined;
  let worst: ExitCode = EXIT.done;
  const waiting: Sent[] = [];
  const totals = { utterances: 0, answered: 0, payload: 0, sent: 0, received: 0, seconds: 0 };

  /** Prints the oldest, whose answer may have to be waited for: answers are printed in the order of what was said. */
  const printOldest = async (): Promise<void> => {
    const { path, start, end, bytes, reply } = waiting.shift()!;
    const came = await reply;
    const { answer, error, milliseconds, sentBytes, receivedBytes, attempts } = came;
    totals.answered += error === null ? 1 : 0;
    totals.sent += sentBytes;
    totals.received += receivedBytes;
    if (error !== null) worst = EXIT.failed;
    const wire = { bytes, sentBytes, receivedBytes, attempts, milliseconds: Math.round(milliseconds) };
    if (options.json) {
      const outcome = error === null ? answer : { error };
      print(JSON.stringify({ input: path, start, end, ...outcome, ...wire }));
    } else {
      const times = `${start.toFixed(2)} – ${seconds(end)}`;
      print(
        `${shortPath(path)} ${times}: ${headline(came)}`,
        `  ${count(bytes)} bytes, ${count(sentBytes)} on the wire and ${count(receivedBytes)} back, ${wire.milliseconds} ms` +
          (attempts > 1 ? `, sent ${attempts} times` : ''),
      );
    }
    const { warnings } = answer ?? {};
    if (Array.isArray(warnings)) for (const text of warnings) warn(shortPath(path), String(text));
  };

  const code = await forEachInput(names, RECORDINGS, async () => {
    client = await MqttDevice.open({
      ...broker,
      ...given({ prefix: options.prefix, deadlineSeconds: options.deadline }),
      fingerprint: encoder.coder.fingerprint,
      id: options.id ?? `acom-${randomBytes(4).toString('hex')}`,
      topicAliases: options.topicAliases,
      describes: options.describe,
      onTrouble: (message) => warn('broker', message),
    });
    const sender = client;
    return async ({ path }) => {
      const recording = await openRecording(path);
      try {
        for (const { start, end, bytes } of encodeSegments(encoder, recording, options.segment, settings)) {
          const reply = sender.send(bytes);
          const sent: Sent = { path, start, end, bytes: bytes.length, reply, isReplied: false };
          void reply.then(() => {
            sent.isReplied = true;
          });
          waiting.push(sent);
          totals.utterances++;
          totals.payload += bytes.length;
          totals.seconds += end - start;
          // Encoding leaves no time to the connection by itself.
          await new Promise((next) => setImmediate(next));
          while (waiting[0]?.isReplied || waiting.length >= MOST_WAITING) await printOldest();
        }
      } finally {
        recording.close();
      }
      warnIfCut(path, recording);
      return EXIT.done;
    };
  });
  while (waiting.length > 0) await printOldest();
  if (client !== undefined) {
    const { sent, received } = client.traffic;
    await client.close();
    const { utterances, answered, payload, seconds: length } = totals;
    const summary = {
      utterances,
      answered,
      payloadBytes: payload,
      sentBytes: totals.sent,
      receivedBytes: totals.received,
    };
    if (options.json)
      print(JSON.stringify({ summary: { ...summary, socketSent: sent, socketReceived: received } }));
    else if (utterances > 0) {
      print(
        `${answered} of ${utterances} utterances answered; ${seconds(length)} in ${count(payload)} bytes, ${count(totals.sent)} on ` +
          `the wire and ${count(totals.received)} back; with connecting ${count(sent)} and ${count(received)}`,
      );
    }
  }
  return code === EXIT.done ? worst : code;
}

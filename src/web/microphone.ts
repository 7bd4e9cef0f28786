/** The microphone as a port of sound: worklet -> port -> whoever holds the other end. */
import { PageError } from './page-error.js';
import type { WorkletMessage } from './worklet.js';

export interface Recording {
  readonly port: MessagePort;
  readonly sampleRate: number;
  /** Ends the sound, after all that was heard, and lets the microphone go. */
  end(): void;
}

/** What browsers call the reasons why there is no microphone, and what to do. */
const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError:
    'This page may not use the microphone. Permit it where the browser keeps the settings of this site, left of the address, and press again; or drop a recording.',
  NotFoundError: 'There is no microphone here. Plug one in and press again; or drop a recording.',
  NotReadableError:
    'The microphone is there but can’t be read. Close what else may use it and press again; or drop a recording.',
};

let context: AudioContext | null = null;

/** One context for all utterances: it takes a while to begin. Called from a click or a key, else browsers keep it silent. */
async function audio(): Promise<AudioContext> {
  if (context === null) {
    const made = new AudioContext();
    await made.audioWorklet.addModule(new URL('worklet.js', document.baseURI));
    context = made;
  }
  await context.resume();
  return context;
}

/** `onLost` is called where the microphone goes away while it is heard. Throws PageError. */
export async function record(onLost: () => void): Promise<Recording> {
  if (navigator.mediaDevices === undefined) {
    throw new PageError(
      'Browsers give the microphone only to pages from https:// or from this machine (http://localhost). Open the page there, or drop a recording.',
    );
  }
  let stream: MediaStream | null = null;
  try {
    // What makes voices pleasant for people is not what the model was trained on.
    const heard = { echoCancellation: false, noiseSuppression: false, autoGainControl: true };
    stream = await navigator.mediaDevices.getUserMedia({ audio: heard });
    const { sampleRate, source, node } = await connect(stream);
    const { port1, port2 } = new MessageChannel();
    const say = (message: WorkletMessage, transfer: Transferable[] = []) =>
      node.port.postMessage(message, transfer);
    say({ port: port1 }, [port1]);
    const tracks = stream.getTracks();
    for (const track of tracks) track.onended = onLost;
    return {
      port: port2,
      sampleRate,
      end: () => {
        say('end');
        source.disconnect();
        for (const track of tracks) track.stop();
      },
    };
  } catch (error) {
    for (const track of stream?.getTracks() ?? []) track.stop();
    const { name, message } = error as Error;
    throw new PageError(REASONS[name] ?? `The microphone could not be started: ${message}. Try again.`);
  }
}

async function connect(stream: MediaStream) {
  const context = await audio();
  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, 'acom-microphone', { numberOfOutputs: 0 });
  source.connect(node);
  return { sampleRate: context.sampleRate, source, node };
}

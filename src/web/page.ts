/** The page: what is pressed, dropped and chosen, and what follows from it. */
import { BitsView } from './bits-view.js';
import { Conversation, type UtterancePlan } from './conversation.js';
import { element, setText } from './elements.js';
import { Engine } from './engine.js';
import type { ModelFacts, ModelPlace } from './messages.js';
import { type Recording, record } from './microphone.js';
import { Notice } from './notice.js';
import { keepForOffline, listenForFiles } from './page-events.js';
import { type ServerState, serverUrl, storedToken, subprotocols } from './server.js';
import { ServerView } from './server-view.js';
import { SettingsView } from './settings-view.js';
import { readSoundFile } from './sound-file.js';
import { StreamLink } from './stream-link.js';
import { TalkButton } from './talk-button.js';
import { Timeline } from './timeline.js';
import { WordsView } from './words-view.js';

const EMPTY = { rows: 1, codewords: 1, secondsPerVector: 0.32, packetVectors: 1 };
const HINT = 'Words come here.';

const talkButton = element('talk', HTMLButtonElement);
const status = (text: string) => setText(element('talk-state', HTMLElement), text);
const notice = new Notice();
const timeline = new Timeline(EMPTY);
const words = new WordsView((word) => timeline.mark(word && [word.start, word.end]));
words.begin(HINT);
const bits = new BitsView();

const models = new Map<ModelPlace, ModelFacts>();
/** Why a model is not there. */
const lacking = new Map<ModelPlace, string>();

type Talk = 'off' | 'starting' | 'stopping' | 'on';
let talk: Talk = 'off';
let recording: Recording | null = null;

function setTalk(next: Talk): void {
  talk = next;
  talkButton.setAttribute('aria-pressed', String(next === 'starting' || next === 'on'));
}

const engine = new Engine((share) => {
  if (models.size === 0)
    status(`Loading the model${share === null ? '' : `: ${Math.round(100 * share)} %`} …`);
});
const settings = new SettingsView(() => talk !== 'off', showModel);
const conversation = new Conversation(
  engine,
  {
    timeline,
    words,
    bits,
    status,
    level: (level) => talkButton.style.setProperty('--level', level.toFixed(2)),
  },
  {
    linkFailed: (message) => void explain(message),
    failed: (message) => {
      stopTalking();
      status('This went wrong.');
      notice.show(`${message}. Try again; a reload of the page may help.`);
    },
    heard: () => stopTalking(),
  },
);
const server = new ServerView((state) => void serverChanged(state));

/** The connection broke off: the server is asked why, because a WebSocket does not say. */
async function explain(message: string | null): Promise<void> {
  const { kind } = await server.ask();
  const goesOn = 'Codes and bits are shown all the same.';
  if (kind === 'gone' || kind === 'none') {
    notice.show(`The server is gone. ${goesOn} Start it again, or let this page answer.`, answerHere);
  } else if (kind === 'locked') notice.show(`The server wants another token: enter it below. ${goesOn}`);
  else notice.show(`${message ?? 'The connection broke off.'} ${goesOn} Try again.`);
}

const answerHere = {
  label: 'Answer in this page',
  run: () => {
    settings.answerer = 'page';
    showModel();
  },
};

/** Where the model is from that the next utterance takes; null where there is none yet. */
function placeNow(): ModelPlace | null {
  const state = server.state;
  if (settings.answerer === 'server' && state?.kind === 'ready') {
    const { fingerprint } = state.model;
    return [...models.keys()].find((place) => models.get(place)?.fingerprint === fingerprint) ?? null;
  }
  return models.has('page') ? 'page' : models.has('server') ? 'server' : null;
}

function showModel(): void {
  const place = placeNow();
  const facts = place && models.get(place);
  talkButton.setAttribute('aria-disabled', String(!facts));
  if (!facts) return;
  settings.setModel(facts);
  setText(element('vocabulary', HTMLElement), facts.words.join(', '));
  setText(element('vocabulary-title', HTMLElement), `The ${facts.words.length} words that it knows`);
  setText(element('model-note', HTMLElement), `Model ${facts.name}, ${facts.fingerprint}.`);
  if (talk === 'off' && words.count === 0) status('Ready.');
}

async function loadModel(place: ModelPlace, url: URL, token: string | null): Promise<void> {
  try {
    models.set(place, await engine.load(place, url, token));
    lacking.delete(place);
  } catch (error) {
    lacking.set(place, (error as Error).message);
  }
}

const pageModel = loadModel('page', new URL('model.safetensors', document.baseURI), null);

/** Gets the device half of the server's model where it is not the one that lies beside the page. */
async function serverChanged(state: ServerState): Promise<void> {
  await pageModel;
  const hasOther = state.kind === 'ready' && models.get('page')?.fingerprint !== state.model.fingerprint;
  if (hasOther && models.get('server')?.fingerprint !== state.model.fingerprint) {
    await loadModel('server', serverUrl('v1/model/device.safetensors'), storedToken());
  }
  const isReady = state.kind === 'ready' && state.model.live;
  settings.allow('server', isReady ? null : 'there is none that takes live sound now');
  const ofPage = models.get('page');
  settings.allow('page', ofPage?.isWhole ? null : 'the model beside it has one half only, or is not there');
  // Whoever has chosen somebody keeps the choice where that can be.
  if (!isReady && settings.answerer === 'server') offerPage(state);
  if (isReady && placeNow() === null && settings.answerer === 'server') {
    notice.show(
      `The server decodes with ${state.model.name}, ${state.model.fingerprint}, of which this page could not get the ` +
        `device half: ${lacking.get('server') ?? 'it is another model'}. Let the server have the page’s model, or this page answer.`,
      answerHere,
    );
  }
  if (models.size === 0) {
    status('There is no model.');
    notice.show(`The model could not be loaded: ${lacking.get('page')}. Load the page again.`);
  }
  showModel();
}

/** Without a server, codes are made all the same; words are this page's if that is wanted. */
function offerPage(state: ServerState): void {
  if (state.kind !== 'none' || !models.get('page')?.isWhole) return;
  words.say('There is no server: choose “this page” below for words, or see codes and bits only.');
}

/** What the next utterance is to be; null, and a notice, where it can't begin. */
function plan(): UtterancePlan | null {
  const place = placeNow();
  const facts = place === null ? undefined : models.get(place);
  if (place === null || facts === undefined) {
    if (models.size === 0) notice.show('The model is still being loaded: press again in a moment.');
    return null;
  }
  const { answerer, codebooks, packetVectors } = settings;
  const isServed = answerer === 'server' && server.state?.kind === 'ready' && server.state.model.live;
  return {
    place,
    facts,
    codebooks,
    packetVectors,
    connect: isServed
      ? (listener) => new StreamLink(serverUrl('v1/stream'), subprotocols(storedToken()), listener)
      : null,
    answer: answerer === 'page',
  };
}

async function startTalking(): Promise<void> {
  const next = plan();
  if (next === null) return;
  notice.hide();
  setTalk('starting');
  status('Starting the microphone …');
  try {
    const started = await record(stopTalking);
    // What may have changed while somebody was asked for permission.
    if ((talk as Talk) !== 'starting') {
      started.end();
      setTalk('off');
      status('Ready: press and talk.');
      return;
    }
    recording = started;
    setTalk('on');
    status('Listening …');
    settings.applied();
    conversation.begin({ port: started.port, sampleRate: started.sampleRate }, next);
  } catch (error) {
    setTalk('off');
    status('No microphone.');
    notice.show((error as Error).message);
  }
}

/** The sound ends; what was heard is encoded and answered. */
function stopTalking(): void {
  if (talk === 'starting') setTalk('stopping');
  if (talk !== 'on') return;
  setTalk('off');
  recording?.end();
  recording = null;
}

async function takeFile(file: Blob, name: string): Promise<void> {
  const next = plan();
  if (next === null) return;
  notice.hide();
  stopTalking();
  status(`Reading ${name} …`);
  try {
    const sound = await readSoundFile(file, name);
    settings.applied();
    status(`Encoding ${name} …`);
    conversation.begin(sound, next);
  } catch (error) {
    status('Ready.');
    notice.show((error as Error).message);
  }
}

async function takeSample(): Promise<void> {
  const response = await fetch(new URL('sample.wav', document.baseURI)).catch(() => null);
  if (response?.ok) await takeFile(await response.blob(), 'the sample');
  else notice.show('The sample could not be fetched: is the server there? Load the page again.');
}

new TalkButton(talkButton, {
  isOn: () => talk === 'starting' || talk === 'on',
  begin: () => {
    if (talk === 'off') void startTalking();
  },
  end: stopTalking,
});
element('sample', HTMLButtonElement).addEventListener('click', () => void takeSample());
listenForFiles((file) => void takeFile(file, file.name));
void keepForOffline();
void server.ask();

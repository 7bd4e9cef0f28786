/** Codebooks, packets, and who answers: read at the beginning of an utterance. */
import { make } from '../explorer/dom.js';
import { element, setText } from './elements.js';
import type { ModelFacts } from './messages.js';

export type Answerer = 'server' | 'page' | 'nobody';

/** Chunks in a packet that can be chosen. */
const PACKET_CHUNKS = [1, 2, 3, 4, 8, 16];
const DEFAULT_CHUNKS = 2;

const NOTE = 'A change takes effect at the next utterance.';

export class SettingsView {
  private readonly slider = element('codebooks', HTMLInputElement);
  private readonly value = element('codebooks-value', HTMLOutputElement);
  private readonly packet = element('packet', HTMLSelectElement);
  private readonly note = element('settings-note', HTMLElement);
  private readonly radios = [...document.querySelectorAll<HTMLInputElement>('input[name=answers]')];
  private facts: ModelFacts | null = null;

  /** `onAnswerer` hears that somebody else is to answer. */
  constructor(
    private readonly isTalking: () => boolean,
    onAnswerer: () => void,
  ) {
    this.slider.addEventListener('input', () => this.changed());
    this.packet.addEventListener('change', () => this.changed());
    for (const radio of this.radios) {
      radio.addEventListener('change', () => {
        this.changed();
        onAnswerer();
      });
    }
  }

  get codebooks(): number {
    return Number(this.slider.value);
  }

  get packetVectors(): number {
    return Number(this.packet.value);
  }

  get answerer(): Answerer {
    return (this.radios.find(({ checked }) => checked)?.value ?? 'nobody') as Answerer;
  }

  set answerer(value: Answerer) {
    for (const radio of this.radios) radio.checked = radio.value === value;
  }

  /** Who can answer; a reason where somebody cannot. */
  allow(answerer: 'server' | 'page', reason: string | null): void {
    const radio = this.radios.find(({ value }) => value === answerer);
    if (radio) radio.disabled = reason !== null;
    setText(element(`${answerer}-note`, HTMLElement), reason === null ? '' : `(${reason})`);
  }

  /** Offers what a model has. What was chosen before is kept where that can be. */
  setModel(facts: ModelFacts): void {
    const { slider, packet } = this;
    if (this.facts?.fingerprint === facts.fingerprint) return;
    const chosen = this.facts === null ? facts.defaultCodebooks : this.codebooks;
    this.facts = facts;
    slider.max = String(facts.codebooks);
    slider.value = String(Math.min(chosen, facts.codebooks));
    slider.disabled = false;
    const { vectorsPerChunk, secondsPerVector, mostPacketVectors } = facts;
    const choices = PACKET_CHUNKS.map((chunks) => chunks * vectorsPerChunk);
    const before = this.packetVectors || DEFAULT_CHUNKS * vectorsPerChunk;
    packet.replaceChildren(
      ...choices
        .filter((vectors) => vectors <= mostPacketVectors)
        .map((vectors) =>
          make(
            'option',
            { value: vectors, selected: vectors === before },
            `${vectors}: a packet every ${(vectors * secondsPerVector).toFixed(2)} s`,
          ),
        ),
    );
    packet.disabled = false;
    this.showValue();
  }

  /** At the beginning of an utterance: what was changed has taken effect. */
  applied(): void {
    setText(this.note, NOTE);
  }

  private changed(): void {
    this.showValue();
    setText(this.note, this.isTalking() ? 'Changed: this takes effect at the next utterance.' : NOTE);
  }

  private showValue(): void {
    if (this.facts === null) return;
    setText(this.value, `${this.codebooks} of ${this.facts.codebooks}`);
  }
}

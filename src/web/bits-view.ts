/** The table of bits: what went over the wire, and what others would have sent. */
import { compare, type Row, WireCount } from './bits.js';
import { element, setText } from './elements.js';

/** The axis of the bars is logarithmic, from here to raw PCM. */
const LEAST_BITS = 8;

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const bitsText = (bits: number): string =>
  bits < 10_000
    ? `${number.format(bits)} bit`
    : bits < 1e6
      ? `${short.format(bits / 1e3)} kbit`
      : `${short.format(bits / 1e6)} Mbit`;

/** Names as the ids of rows have them. */
const NAMES: readonly Row['name'][] = ['acom', 'framed', 'opus', 'pcm'];

export class BitsView {
  private readonly rate = element('rate', HTMLElement);
  private readonly note = element('rate-note', HTMLElement);
  private readonly rows = new Map(NAMES.map((name) => [name, element(`row-${name}`, HTMLTableRowElement)]));
  private readonly pcmName = element('pcm-name', HTMLElement);
  private count = new WireCount();
  private seconds = 0;
  private sampleRate = 1;

  begin(sampleRate: number): void {
    this.count = new WireCount();
    this.seconds = 0;
    this.sampleRate = sampleRate;
    setText(this.pcmName, `PCM, 16 bit at ${sampleRate / 1000} kHz`);
    this.show();
  }

  /** A message that was sent, or would have been. */
  add(message: Uint8Array): void {
    this.count.add(message);
    this.show();
  }

  setSeconds(seconds: number): void {
    this.seconds = seconds;
    this.show();
  }

  private show(): void {
    const rows = compare(this.count, this.seconds, this.sampleRate);
    const most = Math.log(Math.max(2 * LEAST_BITS, ...rows.map(({ bits }) => bits)) / LEAST_BITS);
    for (const { name, bits, bitsPerSecond, times } of rows) {
      const row = this.rows.get(name)!;
      const set = (part: string, text: string) => setText(row.querySelector<HTMLElement>(`.${part}`)!, text);
      set('bits', bitsText(bits));
      set('per-second', bitsPerSecond === null ? '–' : `${bitsText(bitsPerSecond)}/s`);
      set('times', times === null ? '–' : times < 10 ? `${times.toFixed(1)} ×` : `${number.format(times)} ×`);
      const share = bits > LEAST_BITS ? Math.log(bits / LEAST_BITS) / most : 0;
      row.style.setProperty('--share', `${(100 * share).toFixed(1)}%`);
    }
    const { bitsPerSecond } = rows[0]!;
    setText(this.rate, bitsPerSecond === null ? '–' : number.format(bitsPerSecond));
    const { messages } = this.count;
    setText(
      this.note,
      messages === 0
        ? 'Nothing sent yet.'
        : `${number.format(rows[0]!.bits / 8)} bytes in ${messages} messages for ${this.seconds.toFixed(1)} s of sound`,
    );
  }
}

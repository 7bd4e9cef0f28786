/** The timeline: sound, codes and packets of an utterance on one axis, drawn as wide as the window and scrolled. */
import type { Word } from '../tasks/recognition.js';
import { element, setText } from './elements.js';
import { PEAKS_PER_VECTOR } from './messages.js';
import { TimelineData, type TimelineShape } from './timeline-data.js';

/** Sizes in pixels of the style sheet. */
const VECTOR_WIDTH = 26;
const WAVE = 84;
const GAP = 8;
const ROW = 18;
const PACKET = 24;
const WORD = 18;
const AXIS = 18;
const FONT = '11px system-ui, sans-serif';
/** Scrolled to within so much of its end, the timeline follows what is new. */
const AT_END = 8;
const FULL_TURN = 360;
/** Degrees between the hues of a codeword and the next: the golden angle leaves no two close together. */
const HUE_STEP = 137.508;

const READ = 'Point at a vector, or walk with the arrow keys, to read it.';

interface Colours {
  readonly ink: string;
  readonly wave: string;
  readonly faint: string;
  readonly line: string;
  readonly accent: string;
  readonly chosen: string;
  readonly lightness: number;
}

export class Timeline {
  private readonly scroller = element('timeline', HTMLDivElement);
  private readonly canvas = element('timeline-canvas', HTMLCanvasElement);
  private readonly spacer = element('timeline-spacer', HTMLDivElement);
  private readonly labels = element('timeline-labels', HTMLDivElement);
  private readonly readout = element('timeline-readout', HTMLElement);
  private readonly summary = element('timeline-summary', HTMLElement);
  private data: TimelineData;
  private isAsked = false;
  private isFollowing = true;
  /** The vector that the readout is of. */
  private cursor: number | null = null;
  /** Seconds that a word takes. */
  private span: readonly [number, number] | null = null;

  constructor(shape: TimelineShape) {
    this.data = new TimelineData(shape);
    const { scroller } = this;
    scroller.addEventListener('scroll', () => {
      this.isFollowing = scroller.scrollLeft + scroller.clientWidth >= scroller.scrollWidth - AT_END;
      this.ask();
    });
    scroller.addEventListener('pointermove', ({ clientX }) => {
      const x = clientX - scroller.getBoundingClientRect().left + scroller.scrollLeft;
      this.point(Math.floor(x / VECTOR_WIDTH));
    });
    scroller.addEventListener('pointerleave', () => this.point(null));
    scroller.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.ask()).observe(scroller);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.ask());
    this.begin(shape);
  }

  /** Begins a new utterance. */
  begin(shape: TimelineShape): void {
    this.data = new TimelineData(shape);
    this.span = null;
    this.isFollowing = true;
    const rows = Array.from({ length: shape.rows }, (_, row) => {
      const label = document.createElement('span');
      label.textContent = String(row + 1);
      return label;
    });
    this.labels.querySelector('.rows')?.replaceChildren(...rows);
    this.scroller.style.setProperty('--height', `${this.height}px`);
    this.point(null);
    this.describe();
    this.ask();
  }

  addPeaks(peaks: Float32Array): void {
    this.data.addPeaks(peaks);
    this.ask();
  }

  addCodes(indices: Int32Array): void {
    this.data.addCodes(indices);
    this.ask();
  }

  addPacket(bytes: number): void {
    this.data.addPacket(bytes);
    this.ask();
  }

  addWords(words: readonly Word[]): void {
    this.data.words.push(...words);
    this.ask();
  }

  /** Says in words what is drawn; at the end of an utterance, because it would be read again and again. */
  describe(): void {
    if (this.cursor === null) this.point(null);
    const { codes, packets, shape } = this.data;
    const text =
      codes.length === 0
        ? 'Nothing yet: waveform, codes and packets are drawn here while you talk.'
        : `Waveform of ${this.data.seconds.toFixed(1)} seconds; ${codes.length} vectors of ${shape.rows} codewords; ` +
          `${packets.length} packets. Left and right arrows read them.`;
    setText(this.summary, text);
  }

  /** Marks the time that a word takes, and shows it; null for none. */
  mark(span: readonly [number, number] | null): void {
    this.span = span;
    if (span !== null) this.reveal(span[0] / this.data.shape.secondsPerVector);
    this.ask();
  }

  private get height(): number {
    return this.wordsTop + WORD + AXIS;
  }

  private get wordsTop(): number {
    return WAVE + GAP + ROW * this.data.shape.rows + PACKET;
  }

  private key(event: KeyboardEvent): void {
    const last = this.data.vectors - 1;
    const { cursor } = this;
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: cursor === null ? 0 : cursor + 1,
      ArrowLeft: cursor === null ? last : cursor - 1,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    const vector = Math.min(last, Math.max(0, next));
    this.point(vector);
    this.reveal(vector);
  }

  private point(vector: number | null): void {
    const isThere = vector !== null && vector >= 0 && vector < this.data.vectors;
    this.cursor = isThere ? vector : null;
    const text = isThere ? this.data.describe(vector) : this.data.vectors > 0 ? READ : '';
    setText(this.readout, text);
    // A slider, for whoever can't see it: the vector is its value.
    const { scroller } = this;
    scroller.setAttribute('aria-valuemax', String(Math.max(0, this.data.vectors - 1)));
    scroller.setAttribute('aria-valuenow', String(this.cursor ?? 0));
    scroller.setAttribute('aria-valuetext', text);
    this.ask();
  }

  /** Scrolls until a vector is seen. */
  private reveal(vector: number): void {
    const { scroller } = this;
    const x = vector * VECTOR_WIDTH;
    const isSeen =
      x >= scroller.scrollLeft && x + 2 * VECTOR_WIDTH <= scroller.scrollLeft + scroller.clientWidth;
    if (!isSeen) scroller.scrollLeft = x - scroller.clientWidth / 2;
  }

  /** Draws before the next frame is shown. */
  private ask(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => {
      this.isAsked = false;
      this.draw();
    });
  }

  private colours(): Colours {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue(name).trim();
    return {
      ink: of('--ink'),
      wave: of('--wave'),
      faint: of('--faint'),
      line: of('--line'),
      accent: of('--accent'),
      chosen: of('--chosen'),
      lightness: Number(of('--code-lightness')),
    };
  }

  private draw(): void {
    const { scroller, canvas, spacer, data } = this;
    spacer.style.setProperty('width', `${data.vectors * VECTOR_WIDTH}px`);
    if (this.isFollowing) scroller.scrollLeft = scroller.scrollWidth;
    const [width, height] = [scroller.clientWidth, this.height];
    const ratio = window.devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.setProperty('width', `${width}px`);
      canvas.style.setProperty('height', `${height}px`);
    }
    const pen = canvas.getContext('2d');
    if (pen === null) return;
    const colours = this.colours();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.translate(-scroller.scrollLeft, 0);
    const first = Math.floor(scroller.scrollLeft / VECTOR_WIDTH);
    const end = first + Math.ceil(width / VECTOR_WIDTH) + 1;
    pen.font = FONT;
    this.drawMarks(pen, colours);
    this.drawWave(pen, colours, first, end);
    this.drawCodes(pen, colours, first, Math.min(end, data.codes.length));
    this.drawPackets(pen, colours, first, end);
    this.drawWords(pen, colours);
    this.drawAxis(pen, colours, first, end);
  }

  private drawMarks(pen: CanvasRenderingContext2D, { chosen }: Colours): void {
    pen.fillStyle = chosen;
    const { secondsPerVector } = this.data.shape;
    const height = this.height - AXIS;
    if (this.cursor !== null) pen.fillRect(this.cursor * VECTOR_WIDTH, 0, VECTOR_WIDTH, height);
    if (this.span === null) return;
    const [from, to] = this.span.map((seconds) => (seconds / secondsPerVector) * VECTOR_WIDTH);
    pen.fillRect(from!, 0, Math.max(3, to! - from!), height);
  }

  private drawWave(pen: CanvasRenderingContext2D, { wave, line }: Colours, first: number, end: number): void {
    const { peaks } = this.data;
    const middle = WAVE / 2;
    pen.fillStyle = line;
    pen.fillRect(first * VECTOR_WIDTH, middle - 0.5, (end - first) * VECTOR_WIDTH, 1);
    pen.fillStyle = wave;
    const step = VECTOR_WIDTH / PEAKS_PER_VECTOR;
    const last = Math.min(end * PEAKS_PER_VECTOR, peaks.length / 2);
    for (let i = first * PEAKS_PER_VECTOR; i < last; i++) {
      const [low, high] = [peaks[2 * i]!, peaks[2 * i + 1]!].map((peak) => Math.max(-1, Math.min(1, peak)));
      const top = middle - high! * middle;
      pen.fillRect(i * step, top, step * 0.75, Math.max(1, (high! - low!) * middle));
    }
  }

  private drawCodes(pen: CanvasRenderingContext2D, { lightness }: Colours, first: number, end: number): void {
    for (let vector = first; vector < end; vector++) {
      this.data.codes[vector]!.forEach((codeword, row) => {
        // Neighbouring codewords mean nothing to each other, so neither do their colours.
        const hue = (codeword * HUE_STEP) % FULL_TURN;
        const shade = lightness + 0.05 * ((codeword % 5) - 2);
        pen.fillStyle = `oklch(${shade} 0.13 ${hue.toFixed(1)})`;
        pen.beginPath();
        const y = WAVE + GAP + row * ROW;
        pen.roundRect(vector * VECTOR_WIDTH + 1, y + 1, VECTOR_WIDTH - 2, ROW - 2, 3);
        pen.fill();
      });
    }
  }

  private drawPackets(
    pen: CanvasRenderingContext2D,
    { accent, faint }: Colours,
    first: number,
    end: number,
  ): void {
    const y = WAVE + GAP + ROW * this.data.shape.rows;
    pen.textAlign = 'center';
    pen.textBaseline = 'top';
    for (const { from, to, bytes } of this.data.packets) {
      if (to < first || from > end || to <= from) continue;
      const [left, width] = [from * VECTOR_WIDTH + 2, (to - from) * VECTOR_WIDTH - 4];
      pen.fillStyle = accent;
      pen.fillRect(left, y + 2, width, 2);
      pen.fillStyle = faint;
      pen.fillText(`${bytes} B`, left + width / 2, y + 6, width);
    }
  }

  private drawWords(pen: CanvasRenderingContext2D, { ink }: Colours): void {
    const { words, shape } = this.data;
    pen.fillStyle = ink;
    pen.textAlign = 'left';
    pen.textBaseline = 'top';
    pen.font = `600 ${FONT}`;
    let free = 0;
    for (const { word, start } of words) {
      // Words that follow close on each other stand side by side.
      const x = Math.max(free, (start / shape.secondsPerVector) * VECTOR_WIDTH);
      pen.fillText(word, x, this.wordsTop + 2);
      free = x + pen.measureText(word).width + 6;
    }
    pen.font = FONT;
  }

  private drawAxis(
    pen: CanvasRenderingContext2D,
    { faint, line }: Colours,
    first: number,
    end: number,
  ): void {
    const { secondsPerVector } = this.data.shape;
    const y = this.height - AXIS;
    pen.fillStyle = line;
    pen.fillRect(first * VECTOR_WIDTH, y, (end - first) * VECTOR_WIDTH, 1);
    pen.textAlign = 'left';
    pen.textBaseline = 'top';
    pen.fillStyle = faint;
    const from = Math.floor(first * secondsPerVector);
    for (let second = from; second <= end * secondsPerVector; second++) {
      const x = (second / secondsPerVector) * VECTOR_WIDTH;
      pen.fillRect(x, y, 1, 4);
      pen.fillText(`${second} s`, x + 3, y + 5);
    }
  }
}

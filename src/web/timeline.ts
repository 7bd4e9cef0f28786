/** The timeline: sound, codes and packets of an utterance on one axis, drawn as wide as the window and scrolled. */
import type { Word } from '../tasks/recognition.js';
import { element, setText } from './elements.js';
import { TimelineData, type TimelineShape } from './timeline-data.js';
import { drawTimeline, timelineHeight, VECTOR_WIDTH } from './timeline-drawing.js';

/** Scrolled to within so many pixels of its end, the timeline follows what is new. */
const AT_END = 8;
const READ = 'Point at a vector, or walk with the arrow keys, to read it.';

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
    this.scroller.style.setProperty('--height', `${timelineHeight(shape)}px`);
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

  private draw(): void {
    const { scroller, canvas, spacer, data, cursor, span } = this;
    spacer.style.setProperty('width', `${data.vectors * VECTOR_WIDTH}px`);
    if (this.isFollowing) scroller.scrollLeft = scroller.scrollWidth;
    drawTimeline(canvas, data, { vector: cursor, span }, scroller.scrollLeft, scroller.clientWidth);
  }
}

/** Draws a timeline on a canvas: sound, codes, packets and words, lane below lane. */
import { PEAKS_PER_VECTOR } from './messages.js';
import type { TimelineData, TimelineShape } from './timeline-data.js';

/** Pixels that a vector is wide. */
export const VECTOR_WIDTH = 26;

/** Heights of the lanes in pixels, as the labels of page.css have them. */
const WAVE = 84;
const GAP = 8;
const ROW = 18;
const PACKET = 24;
const WORD = 18;
const AXIS = 18;
const FONT = '11px system-ui, sans-serif';
const FULL_TURN = 360;
/** Degrees between the hues of a codeword and the next: the golden angle leaves no two close together. */
const HUE_STEP = 137.508;
/** Pixels between words that follow close on each other. */
const SPACE = 6;

const packetsTop = ({ rows }: TimelineShape): number => WAVE + GAP + ROW * rows;
const wordsTop = (shape: TimelineShape): number => packetsTop(shape) + PACKET;
const axisTop = (shape: TimelineShape): number => wordsTop(shape) + WORD;
export const timelineHeight = (shape: TimelineShape): number => axisTop(shape) + AXIS;

interface Colours {
  readonly ink: string;
  readonly wave: string;
  readonly faint: string;
  readonly line: string;
  readonly accent: string;
  readonly chosen: string;
  readonly lightness: number;
}

/** The colours of the style sheet, light or dark. */
function coloursNow(): Colours {
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

/** What is looked at. */
export interface TimelineMarks {
  readonly vector: number | null;
  /** Seconds that a word takes. */
  readonly span: readonly [number, number] | null;
}

/** Draws what is seen of `data` from pixel `left` on, `width` pixels wide. */
export function drawTimeline(
  canvas: HTMLCanvasElement,
  data: TimelineData,
  marks: TimelineMarks,
  left: number,
  width: number,
): void {
  const height = timelineHeight(data.shape);
  const ratio = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.setProperty('width', `${width}px`);
    canvas.style.setProperty('height', `${height}px`);
  }
  const pen = canvas.getContext('2d');
  if (pen === null) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.translate(-left, 0);
  pen.font = FONT;
  pen.textBaseline = 'top';
  const first = Math.floor(left / VECTOR_WIDTH);
  const end = first + Math.ceil(width / VECTOR_WIDTH) + 1;
  const drawing = new Drawing(pen, coloursNow(), data, first, end);
  drawing.marks(marks);
  drawing.wave();
  drawing.codes();
  drawing.packets();
  drawing.words();
  drawing.axis();
}

/** Vectors `first` to `end` of a timeline. */
class Drawing {
  constructor(
    private readonly pen: CanvasRenderingContext2D,
    private readonly colours: Colours,
    private readonly data: TimelineData,
    private readonly first: number,
    private readonly end: number,
  ) {}

  marks({ vector, span }: TimelineMarks): void {
    const { pen, data } = this;
    pen.fillStyle = this.colours.chosen;
    const height = axisTop(data.shape);
    if (vector !== null) pen.fillRect(vector * VECTOR_WIDTH, 0, VECTOR_WIDTH, height);
    if (span === null) return;
    const [from, to] = [this.x(span[0]), this.x(span[1])];
    pen.fillRect(from, 0, Math.max(3, to - from), height);
  }

  wave(): void {
    const { pen, colours, first, end } = this;
    const { peaks } = this.data;
    const middle = WAVE / 2;
    this.horizontal(middle - 0.5);
    pen.fillStyle = colours.wave;
    const step = VECTOR_WIDTH / PEAKS_PER_VECTOR;
    const last = Math.min(end * PEAKS_PER_VECTOR, peaks.length / 2);
    const within = (peak: number) => Math.max(-1, Math.min(1, peak));
    for (let i = first * PEAKS_PER_VECTOR; i < last; i++) {
      const [low, high] = [within(peaks[2 * i]!), within(peaks[2 * i + 1]!)];
      pen.fillRect(i * step, middle - high * middle, step * 0.75, Math.max(1, (high - low) * middle));
    }
  }

  codes(): void {
    const { pen, colours, first, end } = this;
    const { codes } = this.data;
    for (let vector = first; vector < Math.min(end, codes.length); vector++) {
      codes[vector]!.forEach((codeword, row) => {
        // Neighbouring codewords mean nothing to each other, so neither do their colours.
        const hue = (codeword * HUE_STEP) % FULL_TURN;
        const shade = colours.lightness + 0.05 * ((codeword % 5) - 2);
        pen.fillStyle = `oklch(${shade} 0.13 ${hue.toFixed(1)})`;
        pen.beginPath();
        const y = WAVE + GAP + row * ROW;
        pen.roundRect(vector * VECTOR_WIDTH + 1, y + 1, VECTOR_WIDTH - 2, ROW - 2, 3);
        pen.fill();
      });
    }
  }

  packets(): void {
    const { pen, colours, data, first, end } = this;
    const y = packetsTop(data.shape);
    pen.textAlign = 'center';
    for (const { from, to, bytes } of data.packets) {
      if (to < first || from > end || to <= from) continue;
      const [left, width] = [from * VECTOR_WIDTH + 2, (to - from) * VECTOR_WIDTH - 4];
      pen.fillStyle = colours.accent;
      pen.fillRect(left, y + 2, width, 2);
      pen.fillStyle = colours.faint;
      pen.fillText(`${bytes} B`, left + width / 2, y + 6, width);
    }
  }

  words(): void {
    const { pen, data } = this;
    pen.fillStyle = this.colours.ink;
    pen.textAlign = 'left';
    pen.font = `600 ${FONT}`;
    let free = 0;
    for (const { word, start } of data.words) {
      // Words that follow close on each other stand side by side.
      const x = Math.max(free, this.x(start));
      pen.fillText(word, x, wordsTop(data.shape) + 2);
      free = x + pen.measureText(word).width + SPACE;
    }
    pen.font = FONT;
  }

  axis(): void {
    const { pen, first, end } = this;
    const { shape } = this.data;
    const y = axisTop(shape);
    this.horizontal(y);
    pen.fillStyle = this.colours.faint;
    for (
      let second = Math.floor(first * shape.secondsPerVector);
      this.x(second) <= end * VECTOR_WIDTH;
      second++
    ) {
      pen.fillRect(this.x(second), y, 1, 4);
      pen.fillText(`${second} s`, this.x(second) + 3, y + 5);
    }
  }

  private horizontal(y: number): void {
    const { pen, first, end } = this;
    pen.fillStyle = this.colours.line;
    pen.fillRect(first * VECTOR_WIDTH, y, (end - first) * VECTOR_WIDTH, 1);
  }

  private x(seconds: number): number {
    return (seconds / this.data.shape.secondsPerVector) * VECTOR_WIDTH;
  }
}

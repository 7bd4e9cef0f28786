/** Words as they are heard: final ones to walk along with times and confidences, and the one that is being said. */
import { make } from '../explorer/dom.js';
import type { Word } from '../tasks/recognition.js';
import { element, setText } from './elements.js';

const READ = 'Point at a word, or walk with the arrow keys, for its time and confidence.';
/** Less sure than this is marked. */
const DOUBTFUL = 0.6;

export const describeWord = ({ word, start, end, confidence }: Word): string =>
  `“${word}”: ${start.toFixed(2)} to ${end.toFixed(2)} s, confidence ${Math.round(100 * confidence)} %`;

export class WordsView {
  private readonly list = element('words', HTMLDivElement);
  private readonly partial = element('partial', HTMLSpanElement);
  private readonly detail = element('word-detail', HTMLElement);
  private readonly hint = element('words-hint', HTMLElement);
  /** Hidden from sight: what screen readers read as it comes. */
  private readonly spoken = element('spoken', HTMLDivElement);

  /** `onMark` hears which word is looked at, or null. */
  constructor(private readonly onMark: (word: Word | null) => void) {
    this.list.addEventListener('keydown', (event) => this.walk(event));
  }

  begin(hint: string): void {
    for (const word of this.all) word.remove();
    this.spoken.replaceChildren();
    setText(this.partial, '');
    setText(this.detail, '');
    this.say(hint);
  }

  /** Says something where no words are. */
  say(hint: string): void {
    setText(this.hint, hint);
    this.hint.hidden = this.all.length > 0 || hint === '';
  }

  add(words: readonly Word[], partial: string | null): void {
    for (const word of words) {
      const button = this.buttonOf(word);
      this.partial.before(button, ' ');
      this.spoken.append(make('span', {}, `${word.word} `));
    }
    if (words.length > 0 && this.detail.textContent === '') setText(this.detail, READ);
    setText(this.partial, partial ?? '');
    if (this.all.length > 0 || partial !== null) this.hint.hidden = true;
  }

  /** How many words there are. */
  get count(): number {
    return this.all.length;
  }

  private get all(): HTMLButtonElement[] {
    return [...this.list.querySelectorAll('button')];
  }

  private buttonOf(word: Word): HTMLButtonElement {
    const look = () => {
      setText(this.detail, describeWord(word));
      this.onMark(word);
    };
    const leave = () => {
      setText(this.detail, READ);
      this.onMark(null);
    };
    const isDoubtful = word.confidence < DOUBTFUL;
    return make(
      'button',
      {
        type: 'button',
        class: isDoubtful ? 'word doubtful' : 'word',
        // One stop of the Tab key for all of them.
        tabindex: this.count === 0 ? 0 : -1,
        'aria-describedby': 'word-detail',
        mouseenter: look,
        mouseleave: leave,
        focus: look,
        blur: leave,
      },
      word.word,
    );
  }

  private walk(event: KeyboardEvent): void {
    const { all } = this;
    const at = all.indexOf(event.target as HTMLButtonElement);
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: all.length - 1,
    };
    const next = at < 0 ? undefined : all[steps[event.key] ?? -1];
    if (next === undefined) return;
    event.preventDefault();
    all[at]!.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

/** A button that is held while somebody talks, or pressed once to begin and once more to end. */

/** A press that is longer than this was held. */
const HOLD_MILLISECONDS = 350;

export interface TalkListener {
  /** Whether sound is taken in, or about to be. */
  isOn(): boolean;
  begin(): void;
  end(): void;
}

const isTalkKey = ({ key }: KeyboardEvent): boolean => key === ' ' || key === 'Enter';

export class TalkButton {
  /** When the press that began began; null where none is down, or where it is the one that ended. */
  private since: number | null = null;
  /** Whether the click that follows is of a press that was seen already. */
  private isPressed = false;

  constructor(
    readonly button: HTMLButtonElement,
    private readonly listener: TalkListener,
  ) {
    button.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.isPressed = true;
      this.press();
    });
    for (const name of ['pointerup', 'pointercancel']) {
      button.addEventListener(name, () => {
        this.release();
        // After the click that belongs to it, which a finger that moved away does not make.
        setTimeout(() => {
          this.isPressed = false;
        }, 0);
      });
    }
    // Screen readers click without a press.
    button.addEventListener('click', () => {
      if (!this.isPressed) this.toggle();
    });
    document.addEventListener('keydown', (event) => {
      const { target } = event;
      const isHere = target === button || (event.key === ' ' && target === document.body);
      if (!isHere || !isTalkKey(event) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      if (!event.repeat) this.press();
    });
    document.addEventListener('keyup', (event) => {
      if (!isTalkKey(event)) return;
      if (event.target === button) event.preventDefault();
      this.release();
    });
    window.addEventListener('blur', () => this.release());
  }

  private press(): void {
    const wasOn = this.listener.isOn();
    this.since = wasOn ? null : performance.now();
    this.toggle();
  }

  private release(): void {
    const { since } = this;
    this.since = null;
    if (since === null || performance.now() - since < HOLD_MILLISECONDS) return;
    if (this.listener.isOn()) this.listener.end();
  }

  private toggle(): void {
    if (this.listener.isOn()) this.listener.end();
    else this.listener.begin();
  }
}

/** One message at a time about something that went wrong, with what to do about it. */
import { element, setText } from './elements.js';

export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}

export class Notice {
  private readonly box = element('notice', HTMLDivElement);
  private readonly text = element('notice-text', HTMLElement);
  private readonly button = element('notice-action', HTMLButtonElement);
  private action: NoticeAction | null = null;

  constructor() {
    this.button.addEventListener('click', () => {
      const { action } = this;
      this.hide();
      action?.run();
    });
    element('notice-close', HTMLButtonElement).addEventListener('click', () => this.hide());
  }

  show(text: string, action: NoticeAction | null = null): void {
    this.action = action;
    this.box.hidden = false;
    setText(this.text, text);
    this.button.hidden = action === null;
    setText(this.button, action?.label ?? '');
  }

  hide(): void {
    // Focus that would be lost goes to where one goes on.
    if (this.box.contains(document.activeElement)) element('talk', HTMLButtonElement).focus();
    this.box.hidden = true;
    setText(this.text, '');
  }
}

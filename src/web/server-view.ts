/** Whether there is a server, shown above everything; and the token that it may want. */
import { element, setText } from './elements.js';
import { askServer, forgetToken, isToken, type ServerState, storedToken, storeToken } from './server.js';

type Light = 'good' | 'busy' | 'none' | 'wrong';

export class ServerView {
  private readonly box = element('connection', HTMLElement);
  private readonly text = element('connection-text', HTMLElement);
  private readonly retry = element('retry', HTMLButtonElement);
  private readonly form = element('token-form', HTMLFormElement);
  private readonly field = element('token', HTMLInputElement);
  private readonly hint = element('token-hint', HTMLElement);
  private latest = 0;
  state: ServerState | null = null;

  /** `onChange` hears every new state. */
  constructor(private readonly onChange: (state: ServerState) => void) {
    this.retry.addEventListener('click', () => void this.ask());
    window.addEventListener('online', () => void this.ask());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      const token = this.field.value.trim();
      if (!isToken(token)) {
        setText(
          this.hint,
          'A token has no spaces and none but plain letters, digits and signs: copy it again.',
        );
        return;
      }
      storeToken(token);
      void this.ask();
    });
  }

  /** Asks the server what it is. */
  async ask(): Promise<ServerState> {
    const turn = ++this.latest;
    this.show('busy', 'Looking for the server …');
    const token = storedToken();
    const state = await askServer(token);
    // Only the last answer counts.
    if (turn !== this.latest) return state;
    this.state = state;
    if (state.kind === 'locked') {
      if (token !== null) setText(this.hint, 'The server does not know this token. Is it copied whole?');
      forgetToken();
    }
    this.showState(state);
    this.onChange(state);
    return state;
  }

  private showState(state: ServerState): void {
    const { form, field } = this;
    const isLocked = state.kind === 'locked';
    const hadFocus = form.contains(document.activeElement);
    form.hidden = !isLocked;
    if (isLocked && hadFocus) field.select();
    if (!isLocked) {
      field.value = '';
      if (hadFocus) element('talk', HTMLButtonElement).focus();
    }
    switch (state.kind) {
      case 'ready':
        if (state.model.live) this.show('good', `Server ready: ${state.model.name}`);
        else this.show('wrong', `The server’s model ${state.model.name} takes whole files only`, true);
        break;
      case 'locked':
        this.show('wrong', 'The server wants a token');
        break;
      case 'none':
        this.show('none', 'No server here: this page works by itself');
        break;
      case 'gone':
        this.show('wrong', 'The server does not answer', true);
        break;
      case 'refused':
        this.show('wrong', `The server refuses: ${state.message}`, true);
    }
  }

  private show(light: Light, text: string, canRetry = false): void {
    this.box.dataset['state'] = light;
    setText(this.text, text);
    if (document.activeElement === this.retry && !canRetry) element('talk', HTMLButtonElement).focus();
    this.retry.hidden = !canRetry;
  }
}

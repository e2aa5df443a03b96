/**
 * The second half of a release's page, loaded once the manifest was found good: a reader's own
 * files are compared with it, or are fetched and checked on the way. Nothing is uploaded.
 */
import { formatBytes } from '../core/amounts.ts';
import { CodedError, isCoded, messageOf } from '../core/error.ts';
import { chosenIn, droppedIn, type Selection } from './files/chosen.ts';
import { bytesToHash, compare } from './files/compare.ts';
import { type HashingWorker, HashingWorkers } from './files/hashing-workers.ts';
import type { ReleaseFiles } from './files/release-files.ts';
import { save } from './files/save.ts';
import { saveAll } from './files/save-all.ts';
import { button, element } from './panel/element.ts';
import { outcomeList, sentenceOf } from './panel/outcomes.ts';
import { Progress } from './panel/progress.ts';
import { pickers, type ScriptUrlPolicy, trustedTypes } from './panel/unlisted.ts';

/** The one script that this page starts beside itself. */
const WORKER = new URL('worker.js', import.meta.url).href;

let policy: ScriptUrlPolicy | undefined;

/** Adds it to the panel. */
export function showFiles(panel: HTMLElement, release: ReleaseFiles): void {
  const desk = new Desk(release);
  panel.append(
    element('h3', {}, 'Compare your copy'),
    desk.dropZone(),
    desk.saving(),
    desk.element,
  );
}

/** Where one thing is done at a time; what is begun takes the place of what was before. */
class Desk {
  readonly element = element('div', { class: 'desk' });
  readonly #release: ReleaseFiles;
  readonly #status = element('p', { class: 'summary', role: 'status' });
  readonly #work = element('div');
  #stop = new AbortController();

  constructor(release: ReleaseFiles) {
    this.#release = release;
    this.element.append(this.#status, this.#work);
  }

  dropZone(): HTMLElement {
    const zone = element(
      'div',
      { class: 'drop' },
      element(
        'p',
        {},
        'Drop files of this release here, or its whole folder. Your browser hashes them and compares them with the signed manifest; nothing is uploaded.',
      ),
      element(
        'p',
        { class: 'choices' },
        this.#input('Choose files', { multiple: true }),
        this.#input('Choose a folder', { webkitdirectory: true }),
      ),
    );
    const mark = (isOver: boolean) => (event: DragEvent) => {
      event.preventDefault();
      zone.classList.toggle('over', isOver);
    };
    zone.addEventListener('dragover', mark(true));
    zone.addEventListener('dragleave', mark(false));
    zone.addEventListener('drop', (event) => {
      mark(false)(event);
      if (event.dataTransfer !== null) void this.#compare(droppedIn(event.dataTransfer));
    });
    return zone;
  }

  /** Downloading, where the browser lets a page write files; elsewhere the command that does it. */
  saving(): HTMLElement {
    const { reference, files } = this.#release;
    const [first] = files;
    const total = formatBytes(files.reduce((sum, { size }) => sum + size, 0));
    const only = files.length === 1 ? first : undefined;
    const { showSaveFilePicker, showDirectoryPicker } = pickers;
    if (only !== undefined && showSaveFilePicker !== undefined) {
      const suggestedName = only.path.split('/').at(-1)!;
      const act = async () => {
        const handle = await showSaveFilePicker.call(window, { suggestedName });
        return this.#save(async (saving) => save(saving, only, await handle.createWritable()));
      };
      return this.#offer(`Download and verify (${total})`, act);
    }
    if (only === undefined && showDirectoryPicker !== undefined) {
      const act = async () => {
        const folder = await showDirectoryPicker.call(window, { mode: 'readwrite' });
        return this.#save((saving) => saveAll(saving, folder));
      };
      return this.#offer(`Download and verify all files (${total})`, act);
    }
    return element(
      'p',
      { class: 'small' },
      'This browser does not let a page write files as it checks them. To download and verify: ',
      element('code', {}, `weighhouse pull ${reference}`),
    );
  }

  #offer(text: string, act: () => Promise<void>): HTMLElement {
    // A reader who closes the picker has changed their mind.
    const begin = () => void act().catch(() => {});
    return element(
      'p',
      { class: 'saving' },
      button(text, begin, { class: 'quiet' }),
      ' ',
      element(
        'span',
        { class: 'small' },
        'Each chunk is checked before it is written; what does not fit is not kept.',
      ),
    );
  }

  #input(text: string, attributes: Readonly<Record<string, true>>): HTMLElement {
    const input = element('input', { type: 'file', class: 'unseen', ...attributes });
    input.addEventListener('change', () => {
      const { files } = input;
      if (files !== null && files.length > 0) void this.#compare(Promise.resolve(chosenIn(files)));
      input.value = '';
    });
    return element('label', { class: 'button' }, text, input);
  }

  async #compare(selecting: Promise<Selection>): Promise<void> {
    const signal = this.#begin('Reading what you chose …');
    try {
      const { chosen, inFolder } = await selecting;
      const release = this.#release;
      const total = bytesToHash({ release, chosen, inFolder });
      const progress = new Progress('Hashed', total, () => this.#stop.abort());
      this.#work.replaceChildren(progress.element);
      const outcomes = await this.#hashing(signal, (hash) =>
        compare({ release, chosen, inFolder, hash, signal, onHashed: (n) => progress.add(n) }),
      );
      this.#end(
        sentenceOf(outcomes),
        outcomes.some(({ state }) => state !== 'matches'),
      );
      this.#work.replaceChildren(outcomeList(outcomes));
    } catch (error) {
      this.#fail(signal, error);
    }
  }

  async #save(act: (saving: Parameters<typeof saveAll>[0]) => Promise<void>): Promise<void> {
    const signal = this.#begin('Downloading …');
    const release = this.#release;
    const total = release.files.reduce((sum, { size }) => sum + size, 0);
    const progress = new Progress('Downloaded and verified', total, () => this.#stop.abort());
    this.#work.replaceChildren(progress.element);
    const onSaved = (bytes: number) => progress.add(bytes);
    const get = fetch.bind(globalThis);
    try {
      await this.#hashing(signal, (hash) => act({ release, hash, fetch: get, onSaved, signal }));
      const count = release.files.length;
      const what = count === 1 ? 'The file is' : `All ${count} files are`;
      this.#end(`${what} saved, and every chunk was verified before it was written.`, false);
      this.#work.replaceChildren();
    } catch (error) {
      this.#fail(signal, error);
    }
  }

  /** Runs with workers that end when it does, or when the reader stops it. */
  async #hashing<T>(
    signal: AbortSignal,
    act: (hash: HashingWorkers['hash']) => Promise<T>,
  ): Promise<T> {
    const workers = new HashingWorkers(startWorker, navigator.hardwareConcurrency);
    const stop = () => workers.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await act((piece) => workers.hash(piece));
    } finally {
      signal.removeEventListener('abort', stop);
      workers.stop();
    }
  }

  #begin(text: string): AbortSignal {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#work.replaceChildren();
    this.#end(text, false);
    return this.#stop.signal;
  }

  #end(text: string, isBad: boolean): void {
    this.#status.textContent = text;
    this.#status.classList.toggle('bad', isBad);
  }

  #fail(signal: AbortSignal, error: unknown): void {
    // What was begun since is shown, not this.
    if (signal !== this.#stop.signal) return;
    this.#work.replaceChildren();
    const isStopped = signal.aborted || isCoded(error, 'interrupted');
    this.#end(isStopped ? 'Stopped.' : messageOf(error), !isStopped);
  }
}

/** The page's policy lets no other address become a script. */
function startWorker(): HashingWorker {
  policy ??= trustedTypes?.createPolicy('weighhouse', {
    createScriptURL(url) {
      if (url === WORKER) return url;
      throw new CodedError('internal', `${url} is no script of this page`);
    },
  });
  const url = policy?.createScriptURL(WORKER) ?? WORKER;
  return new Worker(url as string, { type: 'module' }) as unknown as HashingWorker;
}

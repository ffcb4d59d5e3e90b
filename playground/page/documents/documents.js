/** The documents of the page, and the policy's settings: what is planned, and what is kept. */

import { textOf } from '../editor/line-ends.js';
import { decode, encode } from './encoding.js';
import { MOST_DOCUMENTS, Names, tidyName, wrongName } from './names.js';

let lastKey = 0;

/** A document: a name, and bytes. */
export class Doc {
  #bytes = null;
  #state;

  /**
   * @param {string} name what the report calls it
   * @param {import('./encoding.js').Decoded & { bytes?: Uint8Array }} content its text; the bytes of what is no text
   * @param {(text: string, how: { readOnly: boolean }) => import('@codemirror/state').EditorState} stateOf makes
   *   the editor's state of a text
   */
  constructor(name, { text, encoding, mark, bytes }, stateOf) {
    lastKey += 1;
    /** What it is known by, whatever it is called. */
    this.key = lastKey;
    this.name = name;
    /** Counts its changes. */
    this.version = 0;
    this.encoding = encoding;
    this.mark = mark;
    this.#bytes = bytes ?? null;
    this.#state = stateOf(text, { readOnly: !this.isText });
  }

  /** Whether its bytes are a text, which can be changed. */
  get isText() {
    return this.encoding !== null;
  }

  /** The editor's state of it. */
  get state() {
    return this.#state;
  }

  set state(state) {
    if (this.isText && state.doc !== this.#state.doc) {
      this.version += 1;
      this.#bytes = null;
    }
    this.#state = state;
  }

  /** Its text, each line with the end that it has, and without byte order marks. */
  get text() {
    return textOf(this.#state);
  }

  /** Its bytes, as they are planned and saved. */
  get bytes() {
    this.#bytes ??= encode({ text: this.text, encoding: this.encoding, mark: this.mark });
    return this.#bytes;
  }
}

/**
 * All documents. Tells of "edit" (a text), "list" (which there are, and their names), "active" (which one is
 * shown), "close" (one was closed) and "full" (there is no place for more).
 */
export class Documents extends EventTarget {
  #stateOf;
  #closed = [];

  /** @param {ConstructorParameters<typeof Doc>[2]} stateOf makes the editor's state of a text */
  constructor(stateOf) {
    super();
    this.#stateOf = stateOf;
    this.list = [];
    this.settings = this.#doc({ name: 'settings.yml', text: '' });
    this.active = this.settings;
  }

  /** The documents and the settings, in the order of their tabs. */
  get all() {
    return [...this.list, this.settings];
  }

  /** How many bytes are planned, those of the settings included. */
  get size() {
    return this.all.reduce((size, doc) => size + doc.bytes.length, 0);
  }

  /** Whether there is nothing in any document. */
  get isEmpty() {
    return this.list.every((doc) => doc.bytes.length === 0);
  }

  /** How many documents can be opened again. */
  get closed() {
    return this.#closed.length;
  }

  /**
   * Adds documents, and shows the first of them. A name that is taken gets a number. If they are too many, none
   * is added.
   *
   * @param {Array<{ name: string, bytes?: Uint8Array, text?: string, encoding?: string, mark?: string }>} added
   *   what they are called, and what is in them
   */
  add(added) {
    if (this.list.length + added.length > MOST_DOCUMENTS) {
      this.#tell('full');
      return;
    }
    const names = this.#names();
    const docs = added.map((one) => this.#doc({ ...one, name: names.take(tidyName(one.name)) }));
    this.list = this.list.concat(docs);
    this.#tell('list');
    if (docs.length > 0) this.show(docs[0]);
  }

  /**
   * Puts others in the place of all documents and of the settings.
   *
   * @param {object[]} added the documents, as add() takes them
   * @param {string} settings the text of the settings
   * @param {number} active which one is shown; behind the last one, the settings
   * @returns {object} what was there, for putBack()
   */
  replace(added, settings, active = 0) {
    const before = this.#shown();
    this.list = [];
    this.#closed = [];
    this.settings = this.#doc({ name: 'settings.yml', text: settings });
    this.active = this.settings;
    this.add(added);
    this.show(this.all[active] ?? this.all[0]);
    return before;
  }

  /**
   * @param {object} before what replace() returned, which is there again
   * @returns {object} what was there, for putBack()
   */
  putBack({ list, settings, active, closed }) {
    const before = this.#shown();
    Object.assign(this, { list, settings, active });
    this.#closed = closed;
    this.#tell('list');
    this.show(active);
    return before;
  }

  /** @param {Doc} doc the document that is closed; it can be opened again */
  close(doc) {
    const index = this.list.indexOf(doc);
    if (index < 0) return;
    this.list.splice(index, 1);
    this.#closed.push({ doc, index });
    const wasShown = this.active === doc;
    if (wasShown) this.active = this.all[index];
    this.#tell('list');
    if (wasShown) this.#tell('active');
    this.#tell('close');
  }

  /** Opens the document again that was closed last. */
  reopen() {
    if (this.list.length >= MOST_DOCUMENTS) {
      this.#tell('full');
      return;
    }
    const { doc, index } = this.#closed.pop() ?? {};
    if (!doc) return;
    doc.name = this.#names().take(doc.name);
    this.list.splice(index, 0, doc);
    this.#tell('list');
    this.show(doc);
  }

  /**
   * @param {Doc} doc the document
   * @param {string} name what it is to be called; a name that is taken gets a number
   */
  rename(doc, name) {
    if (doc === this.settings || name === doc.name) return;
    // A name that cannot be is shown as it was.
    if (wrongName(name) === null) {
      doc.name = this.#names(doc).take(tidyName(name));
      doc.version += 1;
    }
    this.#tell('list');
  }

  /** @param {Doc} doc the document that is shown */
  show(doc) {
    this.active = doc;
    this.#tell('active');
  }

  /** @param {import('@codemirror/state').EditorState} state the new state of the document that is shown */
  update(state) {
    const { version } = this.active;
    this.active.state = state;
    if (this.active.version !== version) this.#tell('edit');
  }

  /** Puts a copy that can be changed in the place of a document that is no text. */
  makeText() {
    const { name, text } = this.active;
    const index = this.list.indexOf(this.active);
    const doc = this.#doc({ name, text });
    this.#closed.push({ doc: this.active, index });
    this.list[index] = doc;
    this.active = doc;
    this.#tell('list');
    this.#tell('active');
  }

  #shown() {
    return { list: this.list, settings: this.settings, active: this.active, closed: this.#closed };
  }

  #doc({ name, bytes, text, encoding = 'utf-8', mark = '' }) {
    const content = bytes ? { ...decode(bytes), bytes } : { text, encoding, mark };
    return new Doc(name, content, this.#stateOf);
  }

  #names(but) {
    return new Names(this.all.filter((doc) => doc !== but).map((doc) => doc.name));
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

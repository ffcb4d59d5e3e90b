/** What builds the page's elements. Text goes in as text only: nothing is ever interpreted as HTML. */

/**
 * An element of this page.
 *
 * @param {string} tag its name
 * @param {Record<string, unknown>} [attributes] attributes; a function listens to the event of its name; true is
 *   an attribute without a value; false, null and undefined are left out
 * @param {...(Node | string)} children what it holds
 * @returns {HTMLElement} the element
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/**
 * A name that somebody else chose: its direction is its own, and changes nothing around it.
 *
 * @param {string} name the name
 * @returns {HTMLElement} an element with it
 */
export function named(name) {
  return element('bdi', {}, name);
}

/**
 * A button.
 *
 * @param {string} label what it says
 * @param {() => unknown} press what it does
 * @param {Record<string, unknown>} [attributes] more attributes
 * @returns {HTMLElement} the button
 */
export function button(label, press, attributes = {}) {
  return element('button', { type: 'button', click: press, ...attributes }, label);
}

/**
 * The element of this id, which index.html has.
 *
 * @param {string} id its id
 * @returns {HTMLElement} the element
 */
export function byId(id) {
  return document.getElementById(id);
}
